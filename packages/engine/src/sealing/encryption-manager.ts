import { availableParallelism } from 'node:os';
import { MiB, type PartitionId, type Random, type Stripe } from '@holdfast/contracts';
import { payloadCapacity, type VaultKeys } from '@holdfast/crypto';
import type { Policy } from '../api.ts';
import { SlabPool } from '../flow/slab-pool.ts';
import type {
  ArenaReference,
  FrameInput,
  FramePlacement,
  OpenRequest,
  ResealRequest,
  SealedStripe,
  StripeIdentity,
} from './protocol.ts';
import { WorkerThread } from './worker-thread.ts';

/** Arenas of all workers together stay below this, but each worker has at least two: one to fill, one to send. */
const ARENA_BUDGET = 64 * MiB;
const MIN_ARENAS = 2;
/** Where even two each would come to more than this, there are fewer workers than cores. */
const ARENA_LIMIT = 160 * MiB;
/** More would wait for the main thread, which reads, hashes and sends. */
const MAX_WORKERS = 8;
const SLAB_BYTES = 4 * MiB;
const IDENTITIES_IN_STOCK = 3;

const defaultWorkers = (arenaBytes: number): number =>
  Math.max(
    1,
    Math.min(availableParallelism(), MAX_WORKERS, Math.floor(ARENA_LIMIT / MIN_ARENAS / arenaBytes)),
  );

export interface EncryptionOptions {
  readonly keys: VaultKeys;
  readonly policy: Policy;
  readonly random: Random;
  readonly epoch: number;
  readonly workers: number | undefined;
  readonly reserveNumbers: (count: number) => Promise<number>;
}

/** An arena on loan for fetching; give it back with `release`. */
export interface BorrowedArena {
  readonly reference: ArenaReference;
  readonly lane: number;
}

/** A payload that a worker holds decrypted. */
export interface OpenPayload {
  readonly lane: number;
  readonly handle: number;
  /** How many it has. */
  readonly frames: number;
}

/**
 * Everything that touches keys and plaintext beyond reading it: a pool of threads that compress, transform, seal and
 * code whole stripes, and do the reverse. The main thread sees shared memory and descriptions only.
 */
export class EncryptionManager {
  readonly slabs: SlabPool;
  readonly #workers: WorkerThread[];
  readonly #options: EncryptionOptions;
  readonly #numbers: number[] = [];
  #nextBorrow = 0;
  #nextHandle = 0;

  constructor(options: EncryptionOptions) {
    this.#options = options;
    const { k, m, compressionLevel } = options.policy;
    const arenaBytes = (k + m) * MiB + payloadCapacity(k, MiB);
    const count = options.workers ?? defaultWorkers(arenaBytes);
    this.slabs = new SlabPool({ slabs: count * 3 + 2, slabBytes: SLAB_BYTES });
    this.#workers = Array.from(
      { length: count },
      () =>
        new WorkerThread({
          slabs: this.slabs.slabs,
          sealingKeys: options.keys.exportSealing(),
          chunkIdKey: options.keys.chunkIdKey(),
          k,
          m,
          arenas: Math.max(MIN_ARENAS, Math.floor(ARENA_BUDGET / count / arenaBytes)),
          compressionLevel,
        }),
    );
  }

  /** Sealing lanes are numbered 0 … lanes − 1. */
  get lanes(): number {
    return this.#workers.length;
  }

  onSealed(receive: (lane: number, stripe: SealedStripe) => void, died: (error: Error) => void): void {
    for (const [lane, worker] of this.#workers.entries()) {
      worker.onSealed = (stripe) => receive(lane, stripe);
      worker.onDeath = died;
    }
  }

  /** Call once before sealing, and again for each stripe sealed in that lane. */
  async supplyIdentity(lane: number): Promise<void> {
    this.#workers[lane]!.post({ type: 'identity', identity: await this.newIdentity() });
  }

  async stockIdentities(): Promise<void> {
    for (let lane = 0; lane < this.lanes; lane++) {
      for (let i = 0; i < IDENTITIES_IN_STOCK; i++) await this.supplyIdentity(lane);
    }
  }

  async newIdentity(): Promise<StripeIdentity> {
    const { random, epoch } = this.#options;
    return {
      id: random.uuid() as PartitionId,
      number: await this.#newNumber(),
      epoch,
      packageKey: random.bytes(32),
    };
  }

  /** Resolves when the frame's slabs are no longer needed. */
  seal(lane: number, frame: FrameInput): Promise<FramePlacement> {
    return this.#workers[lane]!.ask({ type: 'frame', frame });
  }

  /** Seals the lane's open stripe, however full. */
  flush(lane: number): Promise<void> {
    return this.#workers[lane]!.ask({ type: 'flush' });
  }

  reseal(lane: number, request: ResealRequest): Promise<void> {
    return this.#workers[lane]!.ask({ type: 'reseal', request });
  }

  release(lane: number, arena: number): void {
    this.#workers[lane]!.post({ type: 'release', arena });
  }

  async borrow(stripe: Pick<Stripe, 'k' | 'm'>): Promise<BorrowedArena> {
    const lane = this.#nextBorrow++ % this.lanes;
    const { k, m } = stripe;
    const reference = await this.#workers[lane]!.ask<ArenaReference>({ type: 'borrow', shards: k + m, k });
    return { reference, lane };
  }

  /** The lane that opened the payload keeps it open until `forget`. */
  async open(arena: BorrowedArena, request: Omit<OpenRequest, 'arena' | 'handle'>): Promise<OpenPayload> {
    const { lane, reference } = arena;
    const handle = this.#nextHandle++;
    const full: OpenRequest = { ...request, handle, arena: reference.index };
    const frames = await this.#workers[lane]!.ask<number>({ type: 'open', request: full });
    return { lane, handle, frames };
  }

  /** The frame's raw bytes, checked chunk by chunk: in `into`, or in memory of their own where they do not fit. */
  async inflate({ lane, handle }: OpenPayload, frame: number, into: SharedArrayBuffer): Promise<Uint8Array> {
    const raw = await this.#workers[lane]!.ask<number | Uint8Array>({
      type: 'inflate',
      request: { handle, frame, into },
    });
    return typeof raw === 'number' ? Buffer.from(into, 0, raw) : raw;
  }

  /** Everything that `inflate` checks, and no bytes. */
  async checkFrame({ lane, handle }: OpenPayload, frame: number): Promise<void> {
    await this.#workers[lane]!.ask({ type: 'inflate', request: { handle, frame, into: null } });
  }

  /** After this the payload's buffer may be used for another. */
  forget({ lane, handle }: OpenPayload): void {
    this.#workers[lane]!.post({ type: 'forget', handle });
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }

  /** Numbers are reserved in blocks: a gap after a crash costs nothing, a catalog transaction per stripe does. */
  async #newNumber(): Promise<number> {
    if (this.#numbers.length === 0) {
      const first = await this.#options.reserveNumbers(32);
      this.#numbers.push(...Array.from({ length: 32 }, (_, i) => first + i));
    }
    return this.#numbers.shift() ?? this.#newNumber();
  }
}
