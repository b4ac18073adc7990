import { inspect } from 'node:util';
import {
  HoldfastError,
  isPartitionId,
  MAX_STRIPE_SHARDS,
  type PartitionId,
  type ShardId,
  toHex,
  uuidToBytes,
} from '@holdfast/contracts';
import { DOMAINS, tagged, uint16, uint32 } from './domains.ts';
import { hkdfExpand } from './hkdf.ts';

const KEY_BYTES = 32;
const EXPORT_VERSION = 1;
/** Epochs are few; the bound only keeps hostile numbers from filling memory. */
const MAX_CACHED_EPOCHS = 64;

interface EpochKeys {
  readonly key: Uint8Array;
  readonly ids: Uint8Array;
}

/**
 * The branch of the hierarchy that shards hang from: sealing key → epoch → partition → shard. It is all that a worker
 * thread gets: enough to seal and open shards, not enough to sign or to read heads.
 */
export class SealingKeys {
  #secret: Uint8Array | undefined;
  readonly #epochs = new Map<number, EpochKeys>();

  private constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** @param secret 32 bytes, copied. */
  static fromSecret(secret: Uint8Array): SealingKeys {
    if (secret.length !== KEY_BYTES) {
      throw new HoldfastError('KEY_WRONG', `A sealing key has ${KEY_BYTES} bytes, not ${secret.length}.`);
    }
    return new SealingKeys(Uint8Array.from(secret));
  }

  /** What {@link export} gave; copied, so that the caller may wipe it. KEY_WRONG for anything else. */
  static fromExport(bytes: Uint8Array): SealingKeys {
    if (bytes[0] !== EXPORT_VERSION) {
      throw new HoldfastError('KEY_WRONG', 'These bytes are not exported sealing keys.');
    }
    return SealingKeys.fromSecret(bytes.subarray(1));
  }

  /** Secret! In a buffer of its own, to be transferred to a worker thread and wiped there. */
  export(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(1 + KEY_BYTES);
    bytes[0] = EXPORT_VERSION;
    bytes.set(this.#alive(), 1);
    return bytes;
  }

  /**
   * The name under which a peer keeps the shard. Pseudo-random: without the epoch's key nobody can tell that two ids
   * belong to one partition, or to one owner.
   */
  shardId(epoch: number, partition: PartitionId, index: number): ShardId {
    const info = tagged(DOMAINS.shardId, partitionBytes(partition), indexBytes(index));
    return toHex(hkdfExpand(this.#epoch(epoch).ids, info)) as ShardId;
  }

  partition(epoch: number, id: PartitionId): PartitionKeys {
    return new PartitionKeys(
      hkdfExpand(this.#epoch(epoch).key, tagged(DOMAINS.partition, partitionBytes(id))),
    );
  }

  /** Overwrites the keys; every later call fails. */
  destroy(): void {
    this.#secret?.fill(0);
    this.#secret = undefined;
    for (const epoch of this.#epochs.values()) wipe(epoch.key, epoch.ids);
    this.#epochs.clear();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  [inspect.custom](): string {
    return 'SealingKeys [secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  #alive(): Uint8Array {
    if (!this.#secret)
      throw new HoldfastError('INTERNAL', 'Sealing keys were used after they were destroyed.');
    return this.#secret;
  }

  #epoch(epoch: number): EpochKeys {
    const secret = this.#alive();
    const cached = this.#epochs.get(epoch);
    if (cached) return cached;
    if (!Number.isInteger(epoch) || epoch < 0 || epoch > 0xffff_ffff) {
      throw new HoldfastError('FORMAT_INVALID', `${epoch} is not a key epoch.`);
    }
    const key = hkdfExpand(secret, tagged(DOMAINS.epoch, uint32(epoch)));
    const keys = { key, ids: hkdfExpand(key, tagged(DOMAINS.shardIds)) };
    this.#evictBeyondBound();
    this.#epochs.set(epoch, keys);
    return keys;
  }

  #evictBeyondBound(): void {
    for (const [epoch, keys] of this.#epochs) {
      if (this.#epochs.size < MAX_CACHED_EPOCHS) return;
      wipe(keys.key, keys.ids);
      this.#epochs.delete(epoch);
    }
  }
}

/** One partition's keys. Made for the moment of sealing or opening, then destroyed. */
export class PartitionKeys {
  #key: Uint8Array | undefined;

  /** @param key taken over, not copied. */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** The AES-256-GCM key of one primary shard: 32 bytes that the caller owns, and should wipe. */
  shardKey(index: number): Uint8Array {
    if (!this.#key)
      throw new HoldfastError('INTERNAL', 'Partition keys were used after they were destroyed.');
    return hkdfExpand(this.#key, tagged(DOMAINS.shardKey, indexBytes(index)));
  }

  /** The keys of shards 0 … k − 1. */
  shardKeys(k: number): Uint8Array[] {
    return Array.from({ length: k }, (_, index) => this.shardKey(index));
  }

  destroy(): void {
    this.#key?.fill(0);
    this.#key = undefined;
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  [inspect.custom](): string {
    return 'PartitionKeys [secret]';
  }

  toJSON(): string {
    return '[secret]';
  }
}

/** Overwrites secrets with zeros. Copies that the runtime made are beyond reach: see docs/specs/keys.md. */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}

function indexBytes(index: number): Uint8Array {
  if (!Number.isInteger(index) || index < 0 || index >= MAX_STRIPE_SHARDS) {
    throw new HoldfastError('CODE_PARAMETERS', `A stripe has no shard ${index}.`);
  }
  return uint16(index);
}

function partitionBytes(id: PartitionId): Uint8Array {
  // Ids reach this place from manifests: an odd one must not become some other id's bytes.
  if (!isPartitionId(id)) throw new HoldfastError('FORMAT_INVALID', `${inspect(id)} is not a partition id.`);
  return uuidToBytes(id);
}
