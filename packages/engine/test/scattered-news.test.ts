import { randomBytes } from 'node:crypto';
import { memorySource } from '@holdfast/testing/memory-source';
import { expect, it } from 'vitest';
import { testVault } from './test-vault.ts';

/** A frame holds on to the slabs of its pieces; a few new bytes in each of many slabs must not take them all. */
it('a little news among much that is known does not stop the reading', async () => {
  const vault = await testVault();
  try {
    const files = Array.from({ length: 1200 }, (_, i) => ({
      path: `f/${String(i).padStart(5, '0')}`,
      content: randomBytes(i % 30 === 7 ? 2000 : 100_000),
    }));
    await vault.engine.backup({ name: 'tree', source: memorySource(files) });
    const edited = files.map((file, i) => (i % 30 === 7 ? { ...file, content: randomBytes(2000) } : file));
    const signal = AbortSignal.timeout(25_000);
    const { snapshot } = await vault.engine.backup({ name: 'tree', source: memorySource(edited), signal });
    expect(snapshot.totals.newBytes).toBe(40 * 2000);
  } finally {
    await vault.close();
  }
});
