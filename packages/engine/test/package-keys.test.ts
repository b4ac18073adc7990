import { expect, it, vi } from 'vitest';
import { EncryptionManager } from '../src/sealing/encryption-manager.ts';
import type { StripeIdentity } from '../src/sealing/protocol.ts';
import { backUp, randomFile } from './content.ts';
import { newVault } from './vaults.ts';

it('leaves no package key in memory after a backup, of stripes sealed or of identities in stock', async () => {
  const given: StripeIdentity[] = [];
  const { newIdentity } = EncryptionManager.prototype;
  vi.spyOn(EncryptionManager.prototype, 'newIdentity').mockImplementation(async function (
    this: EncryptionManager,
  ) {
    const identity = await newIdentity.call(this);
    given.push(identity);
    return identity;
  });
  const vault = await newVault();
  await backUp(vault.engine, [randomFile('a', 7_000_000)]);
  expect(given.length).toBeGreaterThan(3);
  for (const { packageKey } of given) expect(packageKey).toEqual(new Uint8Array(32));
});
