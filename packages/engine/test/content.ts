import { randomBytes } from 'node:crypto';
import { displayPath, type SnapshotId, type Source, type SourceObject } from '@holdfast/contracts';
import { type MemorySink, type MemorySinkOptions, memorySink } from '@holdfast/testing/memory-sink';
import {
  type MemorySourceObject,
  type MemorySourceOptions,
  memorySource,
} from '@holdfast/testing/memory-source';
import type { BackupReport, BackupRequest, Engine, RestoreReport, RestoreRequest } from '../src/index.ts';

export const file = (path: string, content: Uint8Array): MemorySourceObject => ({ path, content });

export const randomFile = (path: string, bytes: number): MemorySourceObject => file(path, randomBytes(bytes));

export const database = (content: Uint8Array, blockBytes = 4096): MemorySourceObject => ({
  path: 'database',
  kind: 'database',
  content,
  cut: { by: 'blocks', blockBytes },
});

export function backUp(
  engine: Engine,
  objects: readonly MemorySourceObject[] | Source,
  options: Partial<BackupRequest> = {},
): Promise<BackupReport> {
  const source = 'open' in objects ? objects : memorySource(objects);
  return engine.backup({ name: 'source', source, ...options });
}

export async function restore(
  engine: Engine,
  snapshot: SnapshotId,
  options: Partial<RestoreRequest> & { sinkOptions?: MemorySinkOptions } = {},
): Promise<{ sink: MemorySink; report: RestoreReport }> {
  const { sinkOptions, ...request } = options;
  const sink = memorySink(sinkOptions);
  const report = await engine.restore({ snapshot, sink, ...request });
  return { sink, report };
}

/** The sink has exactly these objects; named in the error, since megabytes of difference tell nothing. */
export function expectSame(sink: MemorySink, objects: readonly MemorySourceObject[]): void {
  if (sink.state !== 'finished') throw new Error(`The sink is ${sink.state}.`);
  if (sink.objects.size !== objects.length)
    throw new Error(`${sink.objects.size} objects were restored, not ${objects.length}.`);
  for (const { path, content } of objects) {
    const name = typeof path === 'string' ? path : displayPath(path);
    const found = sink.objects.get(name);
    if (!found) throw new Error(`${name} was not restored.`);
    const [before, after] = [content ?? new Uint8Array(0), found.content ?? new Uint8Array(0)];
    if (before.length !== after.length)
      throw new Error(`${name} has ${after.length} bytes, not ${before.length}.`);
    if (Buffer.compare(before, after) !== 0)
      throw new Error(`${name} differs at ${before.findIndex((byte, i) => byte !== after[i])}.`);
  }
}

export async function expectRestores(
  engine: Engine,
  snapshot: SnapshotId,
  objects: readonly MemorySourceObject[],
): Promise<RestoreReport> {
  const { sink, report } = await restore(engine, snapshot);
  expectSame(sink, objects);
  return report;
}

/** What `promise` rejects with; fails when it does not. */
export async function rejection(
  promise: Promise<unknown>,
): Promise<Error & { code?: string; details?: unknown }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('It did not fail.');
}

/** A source of one object that announces another size than it has. */
export function lying(object: MemorySourceObject, by: number): Source {
  return altered([object], (one) => ({ ...one, size: one.size! + by }));
}

/** A source whose objects are changed on the way out. */
export function altered(
  objects: readonly MemorySourceObject[],
  change: (object: SourceObject) => SourceObject,
  options: MemorySourceOptions = {},
): Source {
  const source = memorySource(objects, options);
  return {
    ...source,
    open: async (opening) => {
      const snapshot = await source.open(opening);
      return {
        ...snapshot,
        get problems() {
          return snapshot.problems;
        },
        objects: async function* (listing) {
          for await (const object of snapshot.objects(listing)) yield change(object);
        },
      };
    },
  };
}
