const AT_A_TIME = 32;

/** Maps in order, some at a time: thousands of requests to the file system at once would only starve other work. */
export async function inOrder<A, B>(items: readonly A[], act: (item: A) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  for (let at = 0; at < items.length; at += AT_A_TIME) {
    results.push(...(await Promise.all(items.slice(at, at + AT_A_TIME).map(act))));
  }
  return results;
}
