import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openCatalog } from '@holdfast/catalog';
import { HoldfastError, type OwnerId } from '@holdfast/contracts';
import { phraseFromRoot, systemRandom, VaultKeys, writeKeyFile } from '@holdfast/crypto';
import { createAuthority, generateIdentity, saveAuthorityKey, saveIdentity } from '@holdfast/network';
import { CONFIG_FILE } from '../config/load.ts';
import type { PolicyConfig } from '../config/schema.ts';
import { configTemplate } from '../config/template.ts';
import { writeDurably } from './durable-file.ts';
import { vaultLayout } from './layout.ts';
import { issueOwnerCertificate } from './owner-certificate.ts';

export interface NewVault {
  readonly directory: string;
  readonly policy: Pick<PolicyConfig, 'k' | 'm' | 'helpers' | 'maxPerOperator'>;
  readonly passphrase: string | null;
  /** The swarm's name, in its authority's certificate. */
  readonly swarm: string;
}

export interface CreatedVault {
  readonly directory: string;
  readonly fingerprint: string;
  readonly owner: OwnerId;
  /** Secret! The root as 24 words. */
  readonly phrase: string;
}

/**
 * A fresh vault: keys, swarm authority, catalog, and last of all the configuration, by which a vault is recognised.
 * ALREADY_EXISTS when anything is there; what a failure left is removed again.
 */
export async function createVault(wanted: NewVault): Promise<CreatedVault> {
  const { directory } = wanted;
  const made = await claimDirectory(directory);
  try {
    return await fill(wanted);
  } catch (error) {
    await removeMade(directory, made);
    throw error;
  }
}

async function fill({ directory, policy, passphrase, swarm }: NewVault): Promise<CreatedVault> {
  const layout = vaultLayout(directory);
  await mkdir(layout.keys, { mode: 0o700 });
  await mkdir(layout.cache, { mode: 0o700 });
  const root = VaultKeys.generateRoot((length) => systemRandom.bytes(length));
  try {
    await writeKeyFile(layout.rootKey, root, passphrase === null ? {} : { passphrase });
    const identity = generateIdentity();
    await saveIdentity(layout.ownerKey, identity);
    const authority = await createAuthority({ name: swarm });
    await saveAuthorityKey(layout.authorityKey, authority);
    await writeDurably(layout.authorityCertificate, authority.certificate);
    await issueOwnerCertificate(layout, authority, identity);
    await (await openCatalog(layout.catalog)).close();
    await writeDurably(join(directory, CONFIG_FILE), configTemplate(policy));
    using keys = VaultKeys.fromRoot(root);
    return { directory, fingerprint: keys.fingerprint, owner: identity.id, phrase: phraseFromRoot(root) };
  } finally {
    root.fill(0);
  }
}

async function removeMade(directory: string, made: string | undefined): Promise<void> {
  const paths = made === undefined ? (await readdir(directory)).map((name) => join(directory, name)) : [made];
  for (const path of paths) await rm(path, { recursive: true, force: true });
}

/** Returns the topmost directory that was made, undefined when all were there (and the last of them empty). */
async function claimDirectory(directory: string): Promise<string | undefined> {
  try {
    const made = await mkdir(directory, { recursive: true, mode: 0o700 });
    const present = await readdir(directory);
    if (present.length === 0) return made;
    const isVault = present.includes(CONFIG_FILE);
    throw new HoldfastError(
      'ALREADY_EXISTS',
      isVault
        ? `There is a vault in ${directory} already.`
        : `${directory} is not empty (${present[0]} is there).`,
      {
        hint: isVault
          ? 'Use it, or create another with --vault DIR. It may hold the only keys to existing backups.'
          : `Choose an empty directory, such as ${join(directory, basename(directory) === 'vault' ? 'holdfast' : 'vault')}.`,
        details: { directory },
      },
    );
  } catch (error) {
    throw HoldfastError.from(error, 'TARGET_UNWRITABLE', `The directory ${directory} cannot be made.`, {
      hint: 'Check the path and its permissions.',
    });
  }
}
