import type { Hash, PeerId, ShardId } from './ids.ts';
import type { PeerStatus } from './peer.ts';
import type { StridedRange } from './strided-range.ts';

export interface TransportOptions {
  /** Ends the request at once; whether it took effect on the peer is then unknown. Rejects with CANCELLED. */
  readonly signal?: AbortSignal;
  /** Milliseconds without any progress after which the request fails with PEER_TIMEOUT. */
  readonly timeout?: number;
}

export interface HaveResult {
  readonly hash: Hash;
  readonly bytes: number;
  readonly leaseUntil: number;
}

/**
 * The owner's way to its peers. Requests to one peer run side by side and may finish in any order; the transport
 * bounds how many are under way and makes the rest wait. It does not retry by itself: a request that failed for the
 * connection's sake (PEER_UNREACHABLE, PEER_TIMEOUT) may be sent again, since every request is idempotent. Any
 * other code is the peer's answer. Connections are made when first needed, and again after they broke.
 */
export interface ShardTransport {
  /**
   * `bytes` is borrowed until the promise settles (it may lie in shared memory; nobody writes to it meanwhile).
   * Resolves when the peer has said that the shard is durable.
   */
  put(
    peer: PeerId,
    shard: { id: ShardId; hash: Hash; bytes: Uint8Array; leaseUntil: number },
    options?: TransportOptions,
  ): Promise<'stored' | 'present'>;
  /**
   * Writes the shard's bytes, or the range asked for, to the start of `into` and says how many. `into` belongs to the
   * transport until the promise settles, after which it is not touched again. What arrives is hostile: the caller
   * checks it. More bytes than `into` holds: PEER_PROTOCOL.
   */
  get(
    peer: PeerId,
    id: ShardId,
    into: Uint8Array,
    options?: TransportOptions & { offset?: number; length?: number },
  ): Promise<number>;
  /**
   * As `get`, for the parts of a shard that a strided range names, one after the other. The peer reads and checks the whole
   * shard, and sends the parts: PEER_SHARD_CORRUPT when it has rotted. FORMAT_INVALID for a range that gives nothing of it.
   */
  getParts(
    peer: PeerId,
    id: ShardId,
    range: StridedRange,
    into: Uint8Array,
    options?: TransportOptions,
  ): Promise<number>;
  /** In the order asked; null for what the peer does not have (of this caller). At most 1 000 ids. */
  have(peer: PeerId, ids: readonly ShardId[], options?: TransportOptions): Promise<(HaveResult | null)[]>;
  /** Whether it was there. */
  delete(peer: PeerId, id: ShardId, options?: TransportOptions): Promise<boolean>;
  lease(peer: PeerId, ids: readonly ShardId[], until: number, options?: TransportOptions): Promise<boolean[]>;
  list(
    peer: PeerId,
    page: { after?: ShardId; limit: number },
    options?: TransportOptions,
  ): Promise<({ id: ShardId } & HaveResult)[]>;
  status(peer: PeerId, options?: TransportOptions): Promise<PeerStatus>;
  putHead(
    peer: PeerId,
    head: { sequence: number; bytes: Uint8Array },
    options?: TransportOptions,
  ): Promise<void>;
  getHead(peer: PeerId, options?: TransportOptions): Promise<{ sequence: number; bytes: Uint8Array } | null>;
  /** Rejects what is under way with CANCELLED and lets the process end. */
  close(): Promise<void>;
}
