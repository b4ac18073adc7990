import { HoldfastError, type OwnerId, type StoreUsage } from '@holdfast/contracts';

interface OwnerUsage {
  bytes: number;
  reserved: number;
  shards: number;
}

export interface QuotaLimits {
  readonly capacityBytes: number;
  readonly ownerQuotaBytes: number;
}

/**
 * Who uses how much. Room is reserved before anything is written and then either used or released, so that puts at the
 * same time cannot overshoot together.
 */
export class Quota {
  readonly #limits: QuotaLimits;
  readonly #owners = new Map<OwnerId, OwnerUsage>();
  #used = 0;
  #reserved = 0;

  constructor(limits: QuotaLimits) {
    this.#limits = limits;
  }

  /** PEER_QUOTA, PEER_DISK_FULL. */
  reserve(owner: OwnerId, bytes: number): void {
    const mine = this.#of(owner);
    const { capacityBytes, ownerQuotaBytes } = this.#limits;
    if (mine.bytes + mine.reserved + bytes > ownerQuotaBytes) {
      throw new HoldfastError('PEER_QUOTA', `This owner’s quota of ${ownerQuotaBytes} bytes is used up.`);
    }
    if (this.#used + this.#reserved + bytes > capacityBytes) {
      throw new HoldfastError('PEER_DISK_FULL', `The capacity of ${capacityBytes} bytes is used up.`);
    }
    mine.reserved += bytes;
    this.#reserved += bytes;
  }

  release(owner: OwnerId, bytes: number): void {
    this.#of(owner).reserved -= bytes;
    this.#reserved -= bytes;
  }

  /** A shard is there: stored under a reservation that is released separately, or found at start. */
  add(owner: OwnerId, bytes: number): void {
    const mine = this.#of(owner);
    mine.bytes += bytes;
    mine.shards += 1;
    this.#used += bytes;
  }

  remove(owner: OwnerId, bytes: number): void {
    const mine = this.#of(owner);
    mine.bytes -= bytes;
    mine.shards -= 1;
    this.#used -= bytes;
  }

  usage(owner: OwnerId): StoreUsage {
    const mine = this.#owners.get(owner);
    return {
      ...this.#limits,
      usedBytes: this.#used,
      ownerUsedBytes: mine?.bytes ?? 0,
      ownerShards: mine?.shards ?? 0,
    };
  }

  #of(owner: OwnerId): OwnerUsage {
    const known = this.#owners.get(owner);
    if (known !== undefined) return known;
    const fresh = { bytes: 0, reserved: 0, shards: 0 };
    this.#owners.set(owner, fresh);
    return fresh;
  }
}
