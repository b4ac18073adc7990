import { availableParallelism } from 'node:os';
import { type Hash, MiB, type PartitionId, type Random, type Stripe } from '@holdfast/contracts';
import type { VaultKeys } from '@holdfast/crypto';
import { arenaBytes } from '@holdfast/erasure';
import type { EngineEvent, Policy } from '../api.ts';
import { SlabPool } from '../flow/slab-pool.ts';
import { arenaSizeFor } from './arena-set.ts';
import { Lane } from './lane.ts';
import type {
  ArenaReference,
  FrameInput,
  FramePlacement,
  OpenRequest,
  RebuildFrom,
  ResealRequest,
  SealedStripe,
  StripeCode,
  StripeIdentity,
} from './protocol.ts';

/** Arenas of all workers together stay below this, but each worker has at least two: one to fill, one to send. */
const ARENA_BUDGET = 64 * MiB;
const MIN_ARENAS = 2;
/** Where even two each would come to more than this, there are fewer workers than cores. */
const ARENA_LIMIT = 160 * MiB;
/** More would wait for the main thread, which reads, hashes and sends. */
const MAX_WORKERS = 8;
const SLAB_BYTES = 4 * MiB;
const IDENTITIES_IN_STOCK = 3;

const defaultWorkers = (bytes: number): number =>
  Math.max(1, Math.min(availableParallelism(), MAX_WORKERS, Math.floor(ARENA_LIMIT / MIN_ARENAS / bytes)));

export interface EncryptionOptions {
  readonly keys: VaultKeys;
  readonly policy: Policy;
  readonly random: Random;
  readonly epoch: number;
  readonly workers: number | undefined;
  readonly reserveNumbers: (count: number) => Promise<number>;
  readonly onEvent?: (event: EngineEvent) => void;
}

/** An arena on loan for fetching; return it with `giveBack`. */
export interface BorrowedArena {
  readonly reference: ArenaReference;
  readonly lane: number;
}

/** A payload that lies decrypted in memory shared with a lane. */
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
  readonly #lanes: Lane[];
  readonly #options: EncryptionOptions;
  readonly #code: StripeCode;
  readonly #numbers: number[] = [];
  #nextBorrow = 0;
  #nextHandle = 0;

  constructor(options: EncryptionOptions) {
    this.#options = options;
    const { keys, onEvent } = options;
    const { k, m, helpers, compressionLevel } = options.policy;
    this.#code = { k, m, helpers };
    const bytes = arenaBytes(arenaSizeFor(this.#code));
    const count = options.workers ?? defaultWorkers(bytes);
    const arenas = Math.max(MIN_ARENAS, Math.floor(ARENA_BUDGET / count / bytes));
    this.slabs = new SlabPool({ slabs: count * 3 + 2, slabBytes: SLAB_BYTES });
    const { slabs } = this.slabs;
    this.#lanes = Array.from(
      { length: count },
      () => new Lane({ keys, slabs, code: this.#code, compressionLevel, arenas, onEvent }),
    );
  }

  /** Sealing lanes are numbered 0 … lanes − 1. */
  get lanes(): number {
    return this.#lanes.length;
  }

  onSealed(receive: (lane: number, stripe: SealedStripe) => void): void {
    for (const [index, lane] of this.#lanes.entries()) lane.onSealed = (stripe) => receive(index, stripe);
  }

  /** Call again for each stripe sealed in that lane. */
  async supplyIdentity(lane: number): Promise<void> {
    this.#lanes[lane]!.tell({ type: 'identity', identity: await this.newIdentity() });
  }

  /** Call once before sealing: gives all arenas to the threads, and some identities. */
  async stock(): Promise<void> {
    for (const [index, { arenas }] of this.#lanes.entries()) {
      for (let arena = arenas.pick(this.#code); arena !== null; arena = arenas.pick(this.#code))
        this.release(index, arena);
      for (let i = 0; i < IDENTITIES_IN_STOCK; i++) await this.supplyIdentity(index);
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
    return this.#lanes[lane]!.ask({ type: 'frame', frame });
  }

  /** Seals the lane's open stripe, however full. */
  flush(lane: number): Promise<void> {
    return this.#lanes[lane]!.ask({ type: 'flush' });
  }

  /** Resolves when `onSealed` has got the stripe. */
  async reseal(lane: number, request: ResealRequest): Promise<void> {
    await this.#lanes[lane]!.ask({ type: 'reseal', request });
  }

  /** A sealed stripe's arena may be used for the lane's next. */
  release(lane: number, arena: number): void {
    this.#lanes[lane]!.tell({ type: 'release', arena });
  }

  /** Not beside sealing, for which the threads have all arenas. */
  async borrow(code: StripeCode): Promise<BorrowedArena> {
    const lane = this.#nextBorrow++ % this.lanes;
    const { arenas } = this.#lanes[lane]!;
    return { reference: arenas.reference(await arenas.take(code)), lane };
  }

  giveBack({ lane, reference }: BorrowedArena): void {
    this.#lanes[lane]!.arenas.release(reference.index);
  }

  /** The lane that opened the payload keeps it open until `forget`. */
  async open(arena: BorrowedArena, request: Omit<OpenRequest, 'arena' | 'handle'>): Promise<OpenPayload> {
    const { lane, reference } = arena;
    const handle = this.#nextHandle++;
    const full: OpenRequest = { ...request, handle, arena: reference.index };
    const frames = await this.#lanes[lane]!.ask<number>({ type: 'open', request: full });
    return { lane, handle, frames };
  }

  /** Makes shards again, in their slots of the arena; what they hash to, in the order asked for. */
  rebuild(arena: BorrowedArena, stripe: Stripe, how: RebuildFrom): Promise<Hash[]> {
    const { id, k, m, helpers, sizeClass } = stripe;
    const request = { arena: arena.reference.index, id, code: { k, m, helpers }, sizeClass, how };
    return this.#lanes[arena.lane]!.ask({ type: 'rebuild', request });
  }

  /** The frame's raw bytes, checked chunk by chunk: in `into`, or in memory of their own where they do not fit. */
  async inflate({ lane, handle }: OpenPayload, frame: number, into: SharedArrayBuffer): Promise<Uint8Array> {
    const raw = await this.#lanes[lane]!.ask<number | Uint8Array>({
      type: 'inflate',
      request: { handle, frame, into },
    });
    return typeof raw === 'number' ? Buffer.from(into, 0, raw) : raw;
  }

  /** Everything that `inflate` checks, and no bytes. */
  async checkFrame({ lane, handle }: OpenPayload, frame: number): Promise<void> {
    await this.#lanes[lane]!.ask({ type: 'inflate', request: { handle, frame, into: null } });
  }

  /** After this the payload's buffer may be used for another. */
  forget({ lane, handle }: OpenPayload): void {
    this.#lanes[lane]!.tell({ type: 'forget', handle });
  }

  async close(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.close()));
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
