import type { PeerId } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/contracts';
import {
  type Credentials,
  loadIdentity,
  parseCertificate,
  type ServerLimits,
  serveShards,
  verifyMember,
} from '@holdfast/network';
import manifest from '../../package.json' with { type: 'json' };
import { DiskShardStore } from '../store/disk-shard-store.ts';
import { peerFiles, readMembership } from './peer-directory.ts';
import { type Logger, logEvent, peerLogger } from './peer-log.ts';

export interface StartPeerOptions {
  /** Made by `initPeer`, admitted by `acceptGrant`. */
  readonly directory: string;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly capacityBytes: number;
  /** Default: the whole capacity. */
  readonly ownerQuotaBytes?: number;
  readonly limits?: Partial<ServerLimits>;
  /** Default: standard error. */
  readonly logger?: Logger;
}

export interface PeerNode {
  readonly id: PeerId;
  readonly host: string;
  readonly port: number;
  /** Finishes what is under way, closes connections and store. Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves the directory's store to the swarm's owners. CONFIG_MISSING before the peer is made or admitted, KEY_WRONG,
 * PEER_UNTRUSTED when its certificate is no good (any more), BUSY when another process serves the directory,
 * CONFIG_INVALID when the address cannot be had.
 */
export async function startPeer(options: StartPeerOptions): Promise<PeerNode> {
  const { directory, capacityBytes, ownerQuotaBytes = capacityBytes } = options;
  const logger = options.logger ?? peerLogger();
  const credentials = await readCredentials(directory);
  const store = await DiskShardStore.open({
    directory: peerFiles(directory).data,
    capacityBytes,
    ownerQuotaBytes,
  });
  try {
    const server = await serveShards({
      store,
      credentials,
      host: options.host,
      port: options.port,
      facts: { version: `holdfast ${manifest.version}`, startedAt: Date.now() },
      limits: options.limits,
      onEvent: (event) => logEvent(logger, event),
    });
    const { id } = credentials.identity;
    const { host, port } = server;
    logger.info({ id, host, port, capacityBytes, ownerQuotaBytes }, 'serving');
    let closing: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      await server.close();
      await store.close();
      logger.info({ id }, 'stopped');
    };
    return {
      id,
      host,
      port,
      close: () => {
        closing ??= close();
        return closing;
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Checked at start, so that an expired membership is told to the peer's operator and not just to its visitors. */
async function readCredentials(directory: string): Promise<Credentials> {
  const { certificate, authority } = await readMembership(directory);
  const identity = await loadIdentity(peerFiles(directory).identity);
  const member = verifyMember(parseCertificate(certificate), parseCertificate(authority), Date.now());
  if (member.id !== identity.id || member.role !== 'peer') {
    throw new HoldfastError(
      'PEER_UNTRUSTED',
      `The certificate is ${member.id}’s, this peer is ${identity.id}.`,
      {
        hint: 'Accept a grant that was made from this peer’s own request.',
      },
    );
  }
  return { identity, certificate, authority };
}
