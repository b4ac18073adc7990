import { mkdir } from 'node:fs/promises';
import { lockVault, type VaultLock } from '@holdfast/catalog';
import { HoldfastError } from '@holdfast/contracts';
import { vaultLayout } from '../vault/layout.ts';

/** The agent's own lock, beside the vault's: two agents would do everything twice. BUSY when there is one already. */
export async function lockAgent(vault: string): Promise<VaultLock> {
  const { agent } = vaultLayout(vault);
  await mkdir(agent, { recursive: true, mode: 0o700 });
  try {
    return lockVault(agent);
  } catch (error) {
    if (!HoldfastError.is(error, 'BUSY')) throw error;
    const { pid } = error.details;
    throw new HoldfastError('BUSY', `An agent runs for ${vault} already${pid ? `: process ${pid}` : ''}.`, {
      hint: 'One is enough. "holdfast agent status" says how it is; SIGHUP makes it read its configuration again.',
      details: error.details,
    });
  }
}

/** The process id of the running agent where it is known; null when none runs. */
export function runningAgent(vault: string): { readonly pid: number | null } | null {
  try {
    lockVault(vaultLayout(vault).agent, 0).release();
    return null;
  } catch (error) {
    if (!HoldfastError.is(error, 'BUSY')) return null;
    const { pid } = error.details;
    return { pid: typeof pid === 'number' ? pid : null };
  }
}
