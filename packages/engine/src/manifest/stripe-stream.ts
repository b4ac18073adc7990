import type { Catalog } from '@holdfast/contracts';
import { encodeStripe } from '@holdfast/formats';

const STRIPES_BATCH = 1000;

/** The stream of stripes: ascending by number, so that snapshots which share partitions share the stream's chunks. */
export async function* stripeStream(
  partitions: ReadonlySet<number>,
  catalog: Catalog,
): AsyncGenerator<Uint8Array> {
  const numbers = [...partitions].sort((a, b) => a - b);
  for (let at = 0; at < numbers.length; at += STRIPES_BATCH) {
    for (const stripe of await catalog.stripes(numbers.slice(at, at + STRIPES_BATCH)))
      yield encodeStripe(stripe!);
  }
}
