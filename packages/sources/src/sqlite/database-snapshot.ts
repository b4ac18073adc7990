import type { BigIntStats } from 'node:fs';
import {
  type ContentReader,
  HoldfastError,
  pathFromText,
  type SourceObject,
  type SourceProblem,
  type SourceSnapshot,
  throwIfAborted,
} from '@holdfast/contracts';
import { ownershipAttributes } from '../file/attributes.ts';
import { readError } from '../file/system-errors.ts';
import type { PageImage } from './page-image.ts';

/** Path of the one object. */
export const OBJECT_PATH = pathFromText('database');

export interface DatabaseContent {
  readonly image: PageImage;
  readonly stats: BigIntStats;
  readonly fingerprint: string | null;
  readonly problems: readonly SourceProblem[];
}

/** @param release called once, when nothing reads any more. */
export function databaseSnapshot(
  { image, stats, fingerprint, problems }: DatabaseContent,
  release: () => void,
): SourceSnapshot {
  const pageSize = image.pageSize;
  const reading = new Set<Promise<unknown>>();
  let closed = false;
  const object: SourceObject = {
    path: OBJECT_PATH,
    kind: 'database',
    attributes: ownershipAttributes(stats),
    size: image.size,
    cut: { by: 'blocks', blockBytes: pageSize },
    fingerprint,
    open: async () => pageReader(image, () => closed, reading),
  };
  return {
    attributes: { pageSize },
    estimate: { objects: 1, bytes: image.size },
    problems,
    async *objects({ signal } = {}) {
      throwIfAborted(signal);
      yield object;
    },
    async close() {
      if (closed) return;
      closed = true;
      await Promise.allSettled(reading);
      release();
    },
  };
}

function pageReader(
  image: PageImage,
  isClosed: () => boolean,
  reading: Set<Promise<unknown>>,
): ContentReader {
  let position = 0;
  return {
    async read(into, { signal } = {}) {
      throwIfAborted(signal);
      if (isClosed()) throw new HoldfastError('CANCELLED', 'The snapshot of the database is closed');
      if (position >= image.size) return { kind: 'end' };
      const result = image.read(position, into);
      reading.add(result);
      try {
        const length = await result;
        position += length;
        return { kind: 'data', length };
      } catch (error) {
        throw readError(error, OBJECT_PATH);
      } finally {
        reading.delete(result);
      }
    },
    async close() {},
  };
}
