import { randomBytes } from 'node:crypto';
import { MiB, SHARD_BYTES } from '@holdfast/contracts';
import { payloadCapacity } from '@holdfast/crypto';
import { afterEach, expect, it } from 'vitest';
import { backUp, database, expectRestores } from './content.ts';
import { POLICY, type TestVault, testVault } from './test-vault.ts';

let vault: TestVault;
afterEach(() => vault.close());

/** A third of noise in each 4 KiB, so that frames shrink to about a third, some more and some less. */
function rows(bytes: number): Buffer {
  const content = Buffer.alloc(bytes, 'some text that compresses well, ');
  for (let at = 0; at < bytes; at += 4096) randomBytes(800 + ((at / 4096) % 1200)).copy(content, at);
  return content;
}

/** Every shard of padding is coded, sent and stored like any other. */
it('fills partitions to the brim though frames do not divide them', async () => {
  vault = await testVault({ policy: { ...POLICY, k: 3, m: 2 } });
  const objects = [database(rows(48 * MiB))];
  const { snapshot } = await backUp(vault.engine, objects);
  const stripes = await vault.engine.partitions(snapshot.id);
  const whole = stripes.filter(({ sizeClass }) => sizeClass === SHARD_BYTES);
  expect(whole.length).toBeGreaterThan(4);
  // The last one of the lane is as full as what was left to write.
  const used = whole.map(({ size }) => size / payloadCapacity(3, SHARD_BYTES)).sort((a, b) => b - a);
  const mean = used.slice(0, -1).reduce((sum, share) => sum + share, 0) / (used.length - 1);
  expect(mean).toBeGreaterThan(0.95);
  await expectRestores(vault.engine, snapshot.id, objects);
});
