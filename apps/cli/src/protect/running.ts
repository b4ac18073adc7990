import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { lockVault, type VaultLock } from '@holdfast/catalog';
import { HoldfastError } from '@holdfast/contracts';
import { z } from 'zod';
import { protectLayout } from './names.ts';

const saved = z.object({
  pid: z.int(),
  /** Unix milliseconds. */
  writtenAt: z.number(),
  /** Of everything committed until then all WAL is stored; Unix milliseconds by this machine's clock. */
  coveredAt: z.number().nullable(),
  /** Bytes that the server holds back. */
  lagBytes: z.number().nullable(),
  takingBase: z.boolean(),
});

export type ProtectionState = z.output<typeof saved>;

/** BUSY: it is protected already. */
export async function lockProtection(vault: string, source: string): Promise<VaultLock> {
  const { lock } = protectLayout(vault, source);
  await mkdir(lock, { recursive: true, mode: 0o700 });
  try {
    return lockVault(lock, 0);
  } catch (error) {
    if (!HoldfastError.is(error, 'BUSY')) throw error;
    const { pid } = error.details;
    throw new HoldfastError(
      'BUSY',
      `"${source}" is being protected already${pid ? `: process ${pid}` : ''}.`,
      {
        hint: 'One is enough. "holdfast status" says how it is.',
        details: error.details,
      },
    );
  }
}

/** Whether something protects the source right now, and who. */
export function runningProtection(vault: string, source: string): { readonly pid: number | null } | null {
  try {
    lockVault(protectLayout(vault, source).lock, 0).release();
    return null;
  } catch (error) {
    if (!HoldfastError.is(error, 'BUSY')) return null;
    const { pid } = error.details;
    return { pid: typeof pid === 'number' ? pid : null };
  }
}

/** Either the old or the new one is there; not worth waiting for the disk, as a newer one comes in seconds. */
export async function writeState(vault: string, source: string, state: ProtectionState): Promise<void> {
  const { state: path } = protectLayout(vault, source);
  await writeFile(`${path}.partial`, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  await rename(`${path}.partial`, path);
}

/** Null for none, or none that makes sense. */
export async function readState(vault: string, source: string): Promise<ProtectionState | null> {
  try {
    return saved.parse(JSON.parse(await readFile(protectLayout(vault, source).state, 'utf8')));
  } catch {
    return null;
  }
}
