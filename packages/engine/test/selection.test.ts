import { randomBytes } from 'node:crypto';
import { displayPath } from '@holdfast/contracts';
import { memorySink } from '@holdfast/testing/memory-sink';
import { memorySource } from '@holdfast/testing/memory-source';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestVault, testVault } from './test-vault.ts';

let vault: TestVault;
let snapshot: Awaited<ReturnType<TestVault['engine']['backup']>>['snapshot'];
const big = randomBytes(5_000_000);
const holed = Buffer.concat([randomBytes(100_000), Buffer.alloc(300_000), randomBytes(50_000)]);

beforeAll(async () => {
  vault = await testVault();
  const source = memorySource([
    { path: 'a', content: randomBytes(1000) },
    { path: 'big', content: big },
    { path: 'dir', content: null },
    { path: 'holed', content: holed, holes: [{ offset: 100_000, length: 300_000 }] },
  ]);
  ({ snapshot } = await vault.engine.backup({ name: 'files', source }));
});
afterAll(() => vault.close());

it('restores the objects asked for, and fetches no others', async () => {
  const sink = memorySink();
  const report = await vault.engine.restore({
    snapshot: snapshot.id,
    sink,
    select: ({ path }) => ['a', 'dir'].includes(displayPath(path)),
  });
  expect([...sink.objects.keys()]).toEqual(['a', 'dir']);
  expect(report.objects).toBe(2);
  expect(report.bytes).toBe(1000);
  expect(report.fetchedBytes).toBeLessThan(big.length);
});

it.each([
  ['big', big],
  ['holed', holed],
])('restores any part of %s, beyond its end as far as there is something', async (name, content) => {
  const point = fc.nat(content.length + 1000);
  await fc.assert(
    fc.asyncProperty(point, point, async (a, b) => {
      const range = { from: Math.min(a, b, content.length), to: Math.max(a, b) };
      const sink = memorySink();
      await vault.engine.restore({
        snapshot: snapshot.id,
        sink,
        select: ({ path }) => displayPath(path) === name && range,
      });
      expect(Buffer.compare(sink.objects.get(name)!.content!, content.subarray(range.from, range.to))).toBe(
        0,
      );
    }),
    { numRuns: 12 },
  );
});
