import type { Catalog } from '@holdfast/contracts';
import { ExtentCutter, encodeExtents, encodeObject, encodeStripe } from '@holdfast/formats';
import { readCache } from '../backup/cache-file.ts';

const STRIPES_BATCH = 1000;

/** The stream of objects and extents, from the local log of the snapshot. */
export async function* objectStream(logPath: string): AsyncGenerator<Uint8Array> {
  let cutter = new ExtentCutter();
  for await (const record of readCache(logPath)) {
    if (record.type === 'blocks') continue;
    if (record.type === 'object') {
      const rest = cutter.flush();
      if (rest) yield encodeExtents(rest);
      cutter = new ExtentCutter();
      yield encodeObject(record.object);
      continue;
    }
    for (const extent of record.extents) {
      const complete = cutter.push(extent);
      if (complete) yield encodeExtents(complete);
    }
  }
  const rest = cutter.flush();
  if (rest) yield encodeExtents(rest);
}

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
