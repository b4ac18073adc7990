import { existsSync } from 'node:fs';
import { lockVault, openCatalog } from '@holdfast/catalog';
import type { Catalog, OwnerId, PeerRecord, ShardTransport } from '@holdfast/contracts';
import { type Credentials, type Identity, loadIdentity, tlsTransport } from '@holdfast/network';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { type VaultLayout, vaultLayout } from './layout.ts';
import { catalogMissing } from './open-catalog.ts';
import { ownerCertificate, readPem } from './owner-certificate.ts';
import { PeerNames } from './peer-names.ts';

/** Catalog and peers: what looking after the swarm needs. No root secret, hence no passphrase. */
export interface OpenSwarm {
  readonly directory: string;
  readonly config: Config;
  readonly owner: OwnerId;
  readonly catalog: Catalog;
  readonly transport: ShardTransport;
  peerNames(): Promise<PeerNames>;
  /** Closes in the reverse order of opening. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface OpenOptions {
  /** Read already; by default the vault's own, read now. */
  readonly config?: Config;
  /** Asked for already (null: there is none); by default the environment is asked. */
  readonly passphrase?: string | null;
  /** Milliseconds to wait for the lock, in which this thread does nothing else. */
  readonly patience?: number;
  /** Takes the vault's lock: one writer at a time, BUSY otherwise. */
  readonly write?: boolean;
  /** Just looking who is there: connections get no longer than `network.probeTimeout`. */
  readonly probe?: boolean;
}

export async function openSwarm(directory: string, options: OpenOptions = {}): Promise<OpenSwarm> {
  await using cleanup = new AsyncDisposableStack();
  const config = options.config ?? (await loadConfig(directory));
  const layout = vaultLayout(directory);
  if (!existsSync(layout.catalog)) throw catalogMissing(directory);
  if (options.write) cleanup.adopt(lockVault(directory, options.patience), (lock) => lock.release());
  const catalog = cleanup.adopt(await openCatalog(layout.catalog), (opened) => opened.close());
  const identity = await loadIdentity(layout.ownerKey);
  const credentials = await ownerCredentials(layout, identity);
  const transport = openTransport(credentials, await catalog.peers(), config, options.probe === true);
  cleanup.adopt(transport, (opened) => opened.close());
  const opened = cleanup.move();
  return {
    directory,
    config,
    owner: identity.id,
    catalog,
    transport,
    peerNames: async () => new PeerNames(await catalog.peers()),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function ownerCredentials(layout: VaultLayout, identity: Identity): Promise<Credentials> {
  const authority = await readPem(layout.authorityCertificate);
  return { identity, certificate: await ownerCertificate(layout, identity, authority), authority };
}

function openTransport(
  credentials: Credentials,
  peers: readonly PeerRecord[],
  { network }: Config,
  probe: boolean,
): ShardTransport {
  const byId = new Map(peers.map((peer) => [peer.id, peer]));
  return tlsTransport({
    credentials,
    peers: (id) => byId.get(id),
    limits: { timeout: network.requestTimeout, ...(probe ? { connectTimeout: network.probeTimeout } : {}) },
  });
}
