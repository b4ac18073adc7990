import { afterEach } from 'vitest';
import { type TestVault, testVault } from './test-vault.ts';

const open: TestVault[] = [];

/** Like `testVault`, and closed after the test. */
export async function newVault(options: Parameters<typeof testVault>[0] = {}): Promise<TestVault> {
  const vault = await testVault(options);
  open.push(vault);
  return vault;
}

afterEach(async () => {
  for (const vault of open.splice(0)) await vault.close();
});
