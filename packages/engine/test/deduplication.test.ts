import { randomBytes } from 'node:crypto';
import { HoldfastError, pathFromText } from '@holdfast/contracts';
import { type MemorySourceObject, memorySource } from '@holdfast/testing/memory-source';
import { describe, expect, it } from 'vitest';
import { altered, backUp, database, expectRestores, file, randomFile, rejection } from './content.ts';
import { newVault } from './vaults.ts';

/** Counts what is opened, by path. */
function counting(objects: readonly MemorySourceObject[], opened: string[]) {
  return altered(objects, (object) => ({
    ...object,
    open: async () => {
      opened.push(Buffer.from(object.path).toString());
      return object.open();
    },
  }));
}

describe('deduplication', () => {
  it('stores content once, wherever it stands', async () => {
    const vault = await newVault();
    const content = randomBytes(700_000);
    const first = [
      file('a', content),
      file('copies/b', content),
      file('copies/c', content.subarray(0, 700_000)),
    ];
    const { snapshot } = await backUp(vault.engine, first);
    expect(snapshot.totals).toMatchObject({ bytes: 2_100_000, newBytes: 700_000 });
    const moved = [file('elsewhere/z', content)];
    const second = await backUp(vault.engine, moved);
    expect(second.snapshot.totals).toMatchObject({ bytes: 700_000, newBytes: 0 });
    const other = await backUp(vault.engine, first, { name: 'another source' });
    expect(other.snapshot.totals.newBytes).toBe(0);
    await expectRestores(vault.engine, snapshot.id, first);
    await expectRestores(vault.engine, second.snapshot.id, moved);
    await expectRestores(vault.engine, other.snapshot.id, first);
  });

  it('stores little when something is inserted near the front', async () => {
    const vault = await newVault();
    const content = randomBytes(4_000_000);
    await backUp(vault.engine, [file('a', content)]);
    const longer = [
      file('a', Buffer.concat([content.subarray(0, 1000), randomBytes(10), content.subarray(1000)])),
    ];
    const { snapshot } = await backUp(vault.engine, longer);
    expect(snapshot.totals.newBytes).toBeLessThan(1_200_000);
    await expectRestores(vault.engine, snapshot.id, longer);
  });

  it('does not read what cannot have changed', async () => {
    const vault = await newVault();
    const named = (path: string, bytes: number, fingerprint: string | null): MemorySourceObject => ({
      ...randomFile(path, bytes),
      fingerprint,
    });
    const objects = [
      named('big', 600_000, 'b1'),
      named('changes', 5_000, 'c1'),
      named('small', 5_000, 's1'),
      named('unsure', 5_000, null),
    ];
    await backUp(vault.engine, objects);
    const next = [
      objects[0]!,
      named('changes', 5_000, 'c2'),
      named('new', 100, 'n1'),
      objects[2]!,
      objects[3]!,
    ];
    const opened: string[] = [];
    const report = await backUp(vault.engine, counting(next, opened));
    expect(opened.sort()).toEqual(['changes', 'new', 'unsure']);
    expect(report.readBytes).toBe(10_100);
    await expectRestores(vault.engine, report.snapshot.id, next);
    const all: string[] = [];
    const reread = await backUp(vault.engine, counting(next, all), { reread: true });
    expect(all.sort()).toEqual(['big', 'changes', 'new', 'small', 'unsure']);
    await expectRestores(vault.engine, reread.snapshot.id, next);
  });

  it('does without its cache of the previous snapshot', async () => {
    const vault = await newVault();
    const objects = [database(randomBytes(700_000)), { ...randomFile('x', 200_000), fingerprint: 'x1' }];
    await backUp(vault.engine, objects);
    const engine = await vault.reopen({ cacheDirectory: `${vault.context.cacheDirectory}/empty` });
    const { snapshot, readBytes } = await backUp(engine, objects);
    expect(readBytes).toBe(900_000);
    expect(snapshot.totals.newBytes).toBe(0);
    await expectRestores(engine, snapshot.id, objects);
  });
});

describe('sources that cannot be read', () => {
  const good = [randomFile('a', 300_000), randomFile('b', 4_000), randomFile('d', 4_000)];

  it.each([
    ['small, when opened', { ...randomFile('c', 4_000), failAt: 0 }],
    ['small, midway', { ...randomFile('c', 4_000), failAt: 2_000 }],
    ['large, midway', { ...randomFile('c', 900_000), failAt: 500_000 }],
  ])('leaves out a file (%s), and says so', async (_, bad) => {
    const vault = await newVault();
    const { snapshot, problems } = await backUp(vault.engine, [...good, bad]);
    expect(snapshot.complete).toBe(false);
    expect(problems).toEqual([{ path: pathFromText('c'), message: expect.any(String) }]);
    await expectRestores(vault.engine, snapshot.id, good);
    const { snapshot: next } = await backUp(vault.engine, good);
    expect(next.complete).toBe(true);
    await expectRestores(vault.engine, next.id, good);
  });

  it('leaves out a file that cannot be opened', async () => {
    const vault = await newVault();
    const source = altered([...good, randomFile('c', 400_000)], (object) =>
      Buffer.from(object.path).toString() === 'c'
        ? {
            ...object,
            open: async () => {
              throw new HoldfastError('SOURCE_UNREADABLE', 'Permission denied.');
            },
          }
        : object,
    );
    const { snapshot, problems } = await backUp(vault.engine, source);
    expect(snapshot.complete).toBe(false);
    expect(problems).toHaveLength(1);
    await expectRestores(vault.engine, snapshot.id, good);
  });

  it('passes on what the source reports itself', async () => {
    const vault = await newVault();
    const problem = { path: pathFromText('locked'), message: 'no permission' };
    const { snapshot, problems } = await backUp(vault.engine, memorySource(good, { problems: [problem] }));
    expect(snapshot.complete).toBe(false);
    expect(problems).toEqual([problem]);
  });

  it.each([
    ['database', { ...database(randomBytes(900_000)), failAt: 500_000 }],
    ['stream', { ...randomFile('stream', 900_000), kind: 'stream', sizeKnown: false, failAt: 500_000 }],
    ['short stream', { ...randomFile('stream', 9_000), kind: 'stream', failAt: 5_000 }],
  ])('fails altogether when a %s cannot be read', async (_, bad) => {
    const vault = await newVault();
    const error = await rejection(backUp(vault.engine, [bad]));
    expect(error.code).toBe('SOURCE_UNREADABLE');
    expect(await vault.catalog.snapshots()).toEqual([]);
    expect(await vault.catalog.head()).toBeNull();
    const whole = [{ ...bad, failAt: undefined }];
    const { snapshot } = await backUp(vault.engine, whole);
    await expectRestores(vault.engine, snapshot.id, whole);
  });

  it('takes what a file has, not what it was said to have', async () => {
    const vault = await newVault();
    for (const by of [-3_999, -1, 1, 200_000]) {
      const objects = [randomFile('a', 4_000), randomFile('b', 200_000), randomFile('c', 4_000)];
      const { snapshot } = await backUp(
        vault.engine,
        altered(objects, (object) => ({ ...object, size: Math.max(0, object.size! + by) })),
      );
      expect(snapshot.totals.bytes).toBe(208_000);
      await expectRestores(vault.engine, snapshot.id, objects);
    }
  });
});
