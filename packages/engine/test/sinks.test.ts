import type { SnapshotId } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/contracts';
import { memorySink } from '@holdfast/testing/memory-sink';
import { beforeEach, describe, expect, it } from 'vitest';
import { backUp, database, expectSame, randomFile, rejection, restore } from './content.ts';
import type { TestVault } from './test-vault.ts';
import { newVault } from './vaults.ts';

const stripes = Buffer.alloc(2_500_000);
for (let i = 0; i < stripes.length; i++) stripes[i] = (i * 31) >>> 7;

const OBJECTS = [
  { path: 'a', content: null },
  randomFile('a/b', 3_000_000),
  {
    ...randomFile('a/holes', 600_000),
    content: Buffer.alloc(600_000),
    holes: [{ offset: 100_000, length: 400_000 }],
  },
  randomFile('c', 10),
  database(stripes),
  randomFile('empty', 0),
  randomFile('z', 700_000),
];

let vault: TestVault;
let id: SnapshotId;
beforeEach(async () => {
  vault = await newVault();
  id = (await backUp(vault.engine, OBJECTS)).snapshot.id;
});

describe('restoring to a sink', () => {
  it('gives a sink that cannot seek one object after the other, and their bytes in order', async () => {
    const { sink, report } = await restore(vault.engine, id, { sinkOptions: { order: 'ascending' } });
    expectSame(sink, OBJECTS);
    expect(report).toMatchObject({ objects: OBJECTS.length, bytes: 6_800_010 });
  });

  it('leaves holes unwritten', async () => {
    const { sink } = await restore(vault.engine, id);
    expectSame(sink, OBJECTS);
    expect(sink.objects.get('a/holes')!.writtenBytes).toBe(200_000);
  });

  it.each(['DISK_FULL', 'TARGET_UNWRITABLE'] as const)('ends with %s and aborts the sink', async (code) => {
    for (const order of ['any', 'ascending'] as const) {
      const sink = memorySink({
        order,
        onWrite: (object, offset) => {
          if (object.kind === 'database' && offset >= 0)
            throw new HoldfastError(code, 'As the test wants it.');
        },
      });
      expect((await rejection(vault.engine.restore({ snapshot: id, sink }))).code).toBe(code);
      expect(sink.state).toBe('aborted');
    }
  });

  it('stops when asked to, and aborts the sink', async () => {
    for (const after of [1, 3, 6]) {
      const controller = new AbortController();
      let writes = 0;
      const sink = memorySink({ onWrite: () => ++writes === after && controller.abort() });
      const error = await rejection(vault.engine.restore({ snapshot: id, sink, signal: controller.signal }));
      expect(error.code).toBe('CANCELLED');
      expect(sink.state).toBe('aborted');
    }
    const aborted = AbortSignal.abort();
    const sink = memorySink();
    expect((await rejection(vault.engine.restore({ snapshot: id, sink, signal: aborted }))).code).toBe(
      'CANCELLED',
    );
    expect(['new', 'aborted']).toContain(sink.state);
  });

  it('names the snapshot that there is not', async () => {
    const unknown = '00000000-0000-4000-8000-000000000000' as SnapshotId;
    const error = await rejection(vault.engine.restore({ snapshot: unknown, sink: memorySink() }));
    expect(error.code).toBe('NOT_FOUND');
  });
});
