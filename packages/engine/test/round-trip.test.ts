import { randomBytes } from 'node:crypto';
import { memorySink } from '@holdfast/testing/memory-sink';
import { type MemorySourceObject, memorySource } from '@holdfast/testing/memory-source';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestVault, testVault } from './test-vault.ts';

let vault: TestVault;
beforeEach(async () => {
  vault = await testVault();
});
afterEach(() => vault.close());

const text = (bytes: number, seed: number) =>
  Buffer.from(
    Array.from(
      { length: bytes / 16 },
      (_, i) => `row ${((i * 2654435761 + seed) >>> 0).toString(16).padStart(11, '0')}\n`,
    ).join(''),
  );

async function restored(snapshot: Parameters<TestVault['engine']['restore']>[0]['snapshot']) {
  const sink = memorySink();
  const report = await vault.engine.restore({ snapshot, sink });
  return { sink, report };
}

describe('backup and restore', () => {
  it('brings back files, empty files, directories, holes and big content', async () => {
    const objects: MemorySourceObject[] = [
      { path: 'dir', content: null, attributes: { mode: 0o755 } },
      { path: 'dir/big', content: randomBytes(9 * 1024 * 1024) },
      { path: 'dir/empty', content: new Uint8Array(0) },
      { path: 'dir/text', content: text(6 * 1024 * 1024, 1) },
      ...Array.from({ length: 100 }, (_, i) => ({
        path: `small/${String(i).padStart(3, '0')}`,
        content: randomBytes(i * 37),
      })),
    ];
    const { snapshot } = await vault.engine.backup({ name: 'files', source: memorySource(objects) });
    expect(snapshot.complete).toBe(true);
    const { sink, report } = await restored(snapshot.id);
    expect(report.objects).toBe(objects.length);
    expectSame(sink, objects);
  });

  it('stores only what changed of a block-cut object', async () => {
    const content = Buffer.from(text(16 * 1024 * 1024, 3));
    const cut = { by: 'blocks', blockBytes: 4096 } as const;
    const first = await vault.engine.backup({
      name: 'db',
      source: memorySource([{ path: 'database', content, cut }]),
    });
    const edited = Buffer.from(content);
    for (let page = 0; page < 4096; page += 97) edited.write('edited', page * 4096 + 100);
    const second = await vault.engine.backup({
      name: 'db',
      source: memorySource([{ path: 'database', content: edited, cut }]),
    });
    const changed = Math.ceil(4096 / 97) * 4096;
    expect(second.snapshot.totals.newBytes).toBeGreaterThanOrEqual(changed);
    expect(second.snapshot.totals.newBytes).toBeLessThan(changed + 64 * 1024);
    const third = await vault.engine.backup({
      name: 'db',
      source: memorySource([{ path: 'database', content: edited, cut }]),
    });
    expect(third.snapshot.totals.newBytes).toBeLessThan(1024);
    expectSame((await restored(first.snapshot.id)).sink, [{ path: 'database', content }]);
    expectSame((await restored(second.snapshot.id)).sink, [{ path: 'database', content: edited }]);
    expectSame((await restored(third.snapshot.id)).sink, [{ path: 'database', content: edited }]);
  });
});

function expectSame(sink: ReturnType<typeof memorySink>, objects: readonly MemorySourceObject[]): void {
  expect(sink.objects.size).toBe(objects.length);
  for (const { path, content } of objects) {
    const object = sink.objects.get(String(path));
    if (!object) throw new Error(`${path} was not restored`);
    const same = content === null ? object.content === null : Buffer.compare(object.content!, content) === 0;
    if (!same) throw new Error(`${path} differs`);
  }
}
