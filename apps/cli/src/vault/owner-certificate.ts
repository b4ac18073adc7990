import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { HoldfastError } from '@holdfast/contracts';
import { type Authority, type Identity, issueCertificate, loadAuthority } from '@holdfast/network';
import { writeDurably } from './durable-file.ts';
import type { VaultLayout } from './layout.ts';

const VALID_DAYS = 365;
/** A vault that is used at least every two months never sees its membership lapse. */
const RENEW_BEFORE = 60 * 86_400_000;

/** Certificates name an operator and a region; for an owner, who holds no shards, they decide nothing. */
const OWNER_FACTS = { role: 'owner', operator: 'owner', region: 'owner' } as const;

export async function issueOwnerCertificate(
  layout: VaultLayout,
  authority: Authority,
  identity: Identity,
): Promise<string> {
  const facts = { ...OWNER_FACTS, validDays: VALID_DAYS };
  const certificate = await issueCertificate(authority, identity.publicKey, facts);
  await writeDurably(layout.ownerCertificate, certificate);
  return certificate;
}

/**
 * The owner's membership, renewed when it nears its end and this vault has the authority's key (it may be kept
 * elsewhere). KEY_MISSING.
 */
export async function ownerCertificate(
  layout: VaultLayout,
  identity: Identity,
  authority: string,
): Promise<string> {
  const certificate = await readPem(layout.ownerCertificate);
  const left = new X509Certificate(certificate).validToDate.getTime() - Date.now();
  if (left > RENEW_BEFORE) return certificate;
  try {
    return await issueOwnerCertificate(layout, await loadAuthority(layout.authorityKey, authority), identity);
  } catch (error) {
    if (left > 0 && HoldfastError.is(error)) return certificate;
    throw error;
  }
}

/** KEY_MISSING when the file is not there. */
export async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new HoldfastError('KEY_MISSING', `${path} cannot be read.`, {
      hint: 'Restore the keys directory of the vault from its copy.',
      cause,
    });
  }
}
