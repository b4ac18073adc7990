import { randomBytes } from 'node:crypto';
import { memorySink } from '@holdfast/testing/memory-sink';
import { memorySource } from '@holdfast/testing/memory-source';
import { expect, it } from 'vitest';
import { testVault } from './test-vault.ts';

it('several sources are backed up at the same time, into one history', { timeout: 60_000 }, async () => {
  const vault = await testVault();
  try {
    const contents = Array.from({ length: 6 }, (_, i) => randomBytes(200_000 * (6 - i)));
    const backUp = (i: number, round: number) => {
      const content = Buffer.concat([contents[i]!, Buffer.from(`round ${round}`)]);
      return vault.engine.backup({ name: `s${i % 4}`, source: memorySource([{ path: `f${i}`, content }]) });
    };
    const reports = await Promise.all([0, 1].flatMap((round) => contents.map((_, i) => backUp(i, round))));
    const records = await vault.catalog.snapshots();
    expect(records.map(({ sequence }) => sequence)).toEqual(reports.map((_, i) => i + 1));
    for (const [at, { snapshot }] of reports.entries()) {
      const sink = memorySink();
      await vault.engine.restore({ snapshot: snapshot.id, sink });
      const i = at % contents.length;
      const whole = Buffer.concat([contents[i]!, Buffer.from(`round ${at < contents.length ? 0 : 1}`)]);
      expect(Buffer.compare(sink.objects.get(`f${i}`)!.content!, whole)).toBe(0);
    }
  } finally {
    await vault.close();
  }
});
