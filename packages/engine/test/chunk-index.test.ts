import type { ChunkId } from '@holdfast/contracts';
import { MemoryCatalog } from '@holdfast/testing/memory-catalog';
import { expect, it } from 'vitest';
import { ChunkIndex } from '../src/backup/chunk-index.ts';
import { ChunkRef } from '../src/backup/chunk-ref.ts';
import type { PartitionSurvey } from '../src/backup/partition-survey.ts';

const trusting = { usable: async () => () => true, trust: () => {} } as unknown as PartitionSurvey;
const idOf = (i: number): ChunkId => i.toString(16).padStart(64, '0') as ChunkId;
const location = (partition: number) => ({ partition, frame: 0, offset: 0, length: 10 });

/** What is complete is the catalog's to know; kept here it would gather for as long as the run lasts. */
it.each(['placed before its partition is complete', 'placed only afterwards'])(
  'lets go of a chunk %s',
  async (when) => {
    const index = new ChunkIndex(new MemoryCatalog(), trusting);
    const ref = new ChunkRef(idOf(1), 10);
    index.add(ref);
    expect(await index.find([idOf(1)])).toEqual([ref]);
    ref.locate(location(5));
    if (when.endsWith('afterwards')) {
      index.completed(5);
      index.placed(ref);
    } else {
      index.placed(ref);
      expect(index.get(idOf(1))).toBe(ref);
      index.completed(5);
    }
    expect(index.get(idOf(1))).toBeUndefined();
  },
);
