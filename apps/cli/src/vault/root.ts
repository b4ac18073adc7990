import { mkdir } from 'node:fs/promises';
import { HoldfastError } from '@holdfast/contracts';
import {
  keyFileFingerprint,
  keyFileNeedsPassphrase,
  readKeyFile,
  rootFromPhrase,
  writeKeyFile,
} from '@holdfast/crypto';
import { loadConfig } from '../config/load.ts';
import { vaultLayout } from './layout.ts';
import type { OpenOptions } from './open-swarm.ts';
import { environmentPassphrase } from './passphrase.ts';

type Known = Pick<OpenOptions, 'config' | 'passphrase'>;

/**
 * The vault's root secret, for the caller to wipe. CONFIG_MISSING, KEY_MISSING, KEY_WRONG.
 * @param known what was read or asked for before
 */
export async function readRoot(vault: string, known: Known = {}): Promise<Uint8Array> {
  if (!known.config) await loadConfig(vault);
  const { rootKey } = vaultLayout(vault);
  const passphrase = known.passphrase === undefined ? await environmentPassphrase() : known.passphrase;
  if (passphrase === null && (await keyFileNeedsPassphrase(rootKey))) {
    throw new HoldfastError(
      'KEY_MISSING',
      `The root key of ${vault} is protected by a passphrase, and none was given.`,
      {
        hint: 'Set HOLDFAST_PASSPHRASE, or HOLDFAST_PASSPHRASE_FILE to the path of a file that holds it.',
      },
    );
  }
  return readKeyFile(rootKey, passphrase === null ? {} : { passphrase });
}

/** Makes the root key file from the recovery phrase. ALREADY_EXISTS, KEY_WRONG for words that are no phrase. */
export async function writeRoot(
  vault: string,
  phrase: string,
): Promise<{ fingerprint: string; path: string }> {
  await loadConfig(vault);
  const { keys, rootKey } = vaultLayout(vault);
  const passphrase = await environmentPassphrase();
  const root = rootFromPhrase(phrase);
  try {
    await mkdir(keys, { recursive: true, mode: 0o700 });
    await writeKeyFile(rootKey, root, passphrase === null ? {} : { passphrase });
  } finally {
    root.fill(0);
  }
  return { fingerprint: await keyFileFingerprint(rootKey), path: rootKey };
}
