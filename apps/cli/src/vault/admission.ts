import { existsSync } from 'node:fs';
import { lockVault, openCatalog } from '@holdfast/catalog';
import { type Catalog, HoldfastError, type PeerRecord } from '@holdfast/contracts';
import { issueGrant, loadAuthority } from '@holdfast/network';
import { loadConfig } from '../config/load.ts';
import { nearest } from '../config/nearest.ts';
import type { Address } from './address.ts';
import { vaultLayout } from './layout.ts';
import { catalogMissing } from './open-catalog.ts';
import { readPem } from './owner-certificate.ts';

export interface Admission {
  /** What the peer's machine printed: `hf-request:…`. */
  readonly request: string;
  readonly name?: string | undefined;
  readonly operator?: string | undefined;
  readonly region?: string | undefined;
  readonly address?: Address | undefined;
  readonly validDays: number;
}

export interface Admitted {
  readonly peer: PeerRecord;
  /** To be pasted on the peer's machine: `hf-grant:…`. */
  readonly grant: string;
  /** The peer was known before: its membership was renewed, its facts replaced. */
  readonly replaced: boolean;
}

/** Catalog and lock, without keys or peers: what deciding about members needs. */
export async function openForAdministration(vault: string): Promise<{ catalog: Catalog } & AsyncDisposable> {
  await loadConfig(vault);
  const path = vaultLayout(vault).catalog;
  if (!existsSync(path)) throw catalogMissing(vault);
  const lock = lockVault(vault);
  try {
    const catalog = await openCatalog(path);
    const close = async (): Promise<void> => {
      await catalog.close();
      lock.release();
    };
    return { catalog, [Symbol.asyncDispose]: close };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** KEY_MISSING without the authority's key; FORMAT_INVALID for a bad request; ALREADY_EXISTS for a taken name. */
export async function admit(vault: string, admission: Admission): Promise<Admitted> {
  const layout = vaultLayout(vault);
  await using opened = await openForAdministration(vault);
  const authority = await loadAuthority(layout.authorityKey, await readPem(layout.authorityCertificate));
  const { request, name, operator, region, validDays } = admission;
  const issued = await issueGrant(authority, request, { name, operator, region, validDays });
  const { id } = issued.request;
  const { host, port } = admission.address ?? issued.request;
  const peers = await opened.catalog.peers();
  refuseTakenName(peers, issued.grant.name, id);
  if (host === '' || port === 0) {
    throw new HoldfastError(
      'USAGE',
      `The request of ${issued.grant.name} does not say where the peer is reached.`,
      {
        hint: 'Add --address HOST:PORT.',
      },
    );
  }
  const { member } = issued.grant;
  const peer: PeerRecord = {
    id,
    name: issued.grant.name,
    operator: member.operator,
    region: member.region,
    host,
    port,
    state: 'active',
  };
  await opened.catalog.putPeer(peer);
  return { peer, grant: issued.token, replaced: peers.some((known) => known.id === id) };
}

/** By name or id. NOT_FOUND suggests the nearest name. */
export function findPeer(peers: readonly PeerRecord[], wanted: string): PeerRecord {
  const found = peers.find((peer) => peer.name === wanted || peer.id === wanted);
  if (found) return found;
  const names = peers.map((peer) => peer.name);
  const suggestion = nearest(wanted, names);
  throw new HoldfastError('NOT_FOUND', `There is no peer "${wanted}".`, {
    hint: suggestion ? `Did you mean "${suggestion}"?` : 'See them with: holdfast peers',
    details: { peer: wanted },
  });
}

function refuseTakenName(peers: readonly PeerRecord[], name: string, id: string): void {
  if (!peers.some((peer) => peer.name === name && peer.id !== id && peer.state === 'active')) return;
  throw new HoldfastError('ALREADY_EXISTS', `There is another peer called "${name}".`, {
    hint: 'Choose another name with --name.',
    details: { name },
  });
}
