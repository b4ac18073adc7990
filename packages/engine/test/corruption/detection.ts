import { HoldfastError, type PeerId, type Random } from '@holdfast/contracts';
import { openPayload, payloadCapacity, SealingKeys } from '@holdfast/crypto';
import { StripeArena } from '@holdfast/erasure';
import { MemoryCatalog } from '@holdfast/testing/memory-catalog';
import { MemoryClock } from '@holdfast/testing/memory-clock';
import { memoryTransport } from '@holdfast/testing/memory-transport';
import { arenaSizeFor } from '../../src/sealing/arena-set.ts';
import { StripeOpener } from '../../src/sealing/stripe-opener.ts';
import { ThreadArenas } from '../../src/sealing/thread-arenas.ts';
import { type FetchOutcome, fetchShards } from '../../src/shards/fetch-race.ts';
import { StorageManager } from '../../src/storage/storage-manager.ts';
import { CORRUPTIONS, type Corruption, corrupt, type Family } from './corrupt.ts';
import { EPOCH, KEYS, type SealedStripe, type Shape, SIZE_CLASS, sealedStripe } from './sealed-stripe.ts';

export type Detected = 'SEAL_BROKEN' | 'HASH_MISMATCH';

/** An older version has a good seal, since it was sealed under the same key: that is for hash and checksum to notice. */
const WITHOUT_SEAL: Corruption = 'an older version';

const ARENA = 0;

/** A silent wrong byte, or a corruption that is told wrongly. */
export class Undetected extends Error {}

/** One shape's stripe, corrupted again and again, and brought before everything that should notice. Buffers are reused. */
export class Detection {
  readonly #family: Family;
  readonly #slots: Uint8Array[];
  readonly #fetched: Uint8Array[];
  readonly #arenas = new ThreadArenas();
  readonly #opener: StripeOpener;
  readonly #shardKeys: Uint8Array[];
  readonly #payload: SharedArrayBuffer;
  readonly #zeros: Uint8Array;

  constructor(shape: Shape) {
    const { k } = shape;
    this.#family = {
      stripe: sealedStripe(shape, 'a', 'new'),
      other: sealedStripe(shape, 'b', 'other'),
      older: sealedStripe(shape, 'a', 'old'),
    };
    this.#slots = this.#stripe.shards.map((shard) => new Uint8Array(shard.length));
    this.#fetched = this.#slots.map((slot) => new Uint8Array(slot.length));
    this.#opener = new StripeOpener(
      this.#arenas,
      SealingKeys.fromExport(KEYS.exportSealing()),
      KEYS.chunkIdKey(),
    );
    const size = arenaSizeFor(shape);
    this.#arenas.know({ index: ARENA, memory: StripeArena.create(size).memory, size });
    this.#shardKeys = KEYS.partition(EPOCH, this.#stripe.record.id).shardKeys(k);
    this.#payload = new SharedArrayBuffer(payloadCapacity(k, SIZE_CLASS));
    this.#zeros = new Uint8Array(this.#payload.byteLength);
  }

  get #stripe(): SealedStripe {
    return this.#family.stripe;
  }

  /** Corrupts these shards; the others are right. */
  #prepare(indices: readonly number[], random: Random, kinds?: readonly Corruption[]): void {
    for (const [index, slot] of this.#slots.entries()) {
      if (indices.includes(index)) corrupt(slot, this.#family, index, random, kinds);
      else slot.set(this.#stripe.shards[index]!);
    }
  }

  /** By the hash in the manifest, as they are fetched. @returns how many corruptions were noticed: all. */
  async byHash(random: Random): Promise<number> {
    const wrong = most(range(this.#slots.length), random);
    this.#prepare(wrong, random);
    const { bad, present } = await this.#fetch();
    const named = ascending(bad.map(({ index }) => index));
    const expected = ascending(wrong);
    const reasons = bad.every(({ problem, index, peer }) => {
      return problem === 'wrong-bytes' && peer === this.#stripe.record.shards[index]!.peer;
    });
    if (String(named) !== String(expected) || !reasons || present.some((index) => wrong.includes(index)))
      throw new Undetected(`Corrupted were ${expected}; fetching told of ${JSON.stringify(bad)}.`);
    return wrong.length;
  }

  #fetch(): Promise<FetchOutcome> {
    const catalog = new MemoryCatalog();
    const clock = new MemoryClock();
    const peers = this.#stripe.record.shards.map(({ peer }) => peer);
    const transport = {
      ...memoryTransport(new Map(), peers[0]!),
      get: async (peer: PeerId, _: unknown, into: Uint8Array) => {
        into.set(this.#slots[peers.indexOf(peer)]!);
        return into.length;
      },
    };
    const storage = new StorageManager({ catalog, transport, clock });
    const into = this.#fetched;
    const shardId = (_: unknown, index: number) => KEYS.shardId(EPOCH, this.#stripe.record.id, index);
    return fetchShards({ transport, storage, clock, shardId }, this.#stripe.record, (index) => into[index]!, {
      want: peers.length,
      signal: new AbortController().signal,
    });
  }

  /** By the seals of the primaries, all at once. @returns how many corruptions were noticed: all. */
  bySeal(random: Random): number {
    const { k, id } = this.#stripe.record;
    const wrong = most(range(k), random);
    this.#prepare(
      wrong,
      random,
      CORRUPTIONS.filter((kind) => kind !== WITHOUT_SEAL),
    );
    const payload = new Uint8Array(this.#payload).fill(0xff);
    const failure = errorOf(() => {
      openPayload({ shards: this.#slots.slice(0, k), shardKeys: this.#shardKeys, payload, describe: id });
    });
    this.#requireSeal(failure, wrong);
    return wrong.length;
  }

  /**
   * The way of a restore with nobody looking at hashes: the slots of `present` are taken as they are, missing primaries made
   * from them, seals and checksum checked.
   *
   * @param spare shards more than needed: those corrupted may then be none of those that are read. Null says so.
   */
  async byRestore(random: Random, spare = 0): Promise<Detected | null> {
    const { k, m, helpers, id, sizeClass, size, checksum, epoch } = this.#stripe.record;
    // Often all primaries, as where no peer is missing: only then is there nothing but the seals of those to notice it.
    const order = random.uniform() < 0.3 ? range(k + m) : shuffled(range(k + m), random);
    const present = order.slice(0, k + spare);
    const wrong = few(present, random).slice(0, m + 1);
    this.#prepare(wrong, random);
    const arena = this.#arenas.get(ARENA);
    for (const index of present) arena.shard(index, sizeClass).set(this.#slots[index]!);
    const place = { handle: 1, arena: ARENA, payload: this.#payload };
    const failure = errorOf(() =>
      this.#opener.open({ ...place, id, epoch, k, m, helpers, sizeClass, size, checksum, present }),
    );
    this.#opener.forget(place.handle);
    const detected = this.#judge(failure, (index) => arena.shard(index, sizeClass));
    if (detected === null && spare === 0) throw new Undetected(`Corrupted were ${wrong}; nobody noticed.`);
    return detected;
  }

  /** By the bytes that came to be opened, whatever was done to which shard. */
  #judge(failure: unknown, slot: (index: number) => Uint8Array): Detected | null {
    const { stripe, older } = this.#family;
    const differs = (from: SealedStripe, index: number) =>
      Buffer.compare(slot(index), from.shards[index]!) !== 0;
    const wrong = range(stripe.record.k).filter((index) => differs(stripe, index));
    const unsealed = wrong.filter((index) => differs(older, index));
    if (wrong.length === 0) {
      if (failure !== null) throw new Undetected(`Good shards were refused: ${failure}`);
      if (Buffer.compare(new Uint8Array(this.#payload), stripe.payload) !== 0)
        throw new Undetected('Good shards gave another payload.');
      return null;
    }
    if (unsealed.length > 0) {
      this.#requireSeal(failure, unsealed);
      return 'SEAL_BROKEN';
    }
    const named =
      HoldfastError.is(failure, 'HASH_MISMATCH') && failure.details.partition === stripe.record.id;
    if (!named) throw new Undetected(`Older shards ${wrong} were noticed as ${failure}`);
    return 'HASH_MISMATCH';
  }

  /** Names the shards, all of them and no others, and leaves nothing of what they held. */
  #requireSeal(failure: unknown, wrong: readonly number[]): void {
    const expected = ascending(wrong);
    const named =
      HoldfastError.is(failure, 'SEAL_BROKEN') && String(failure.details.indices) === String(expected);
    if (!named) throw new Undetected(`Corrupted were ${expected}; opening told: ${failure}`);
    if (Buffer.compare(new Uint8Array(this.#payload), this.#zeros) !== 0)
      throw new Undetected('Something that was not authenticated is left in the payload.');
  }
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);
const ascending = (indices: readonly number[]): number[] => [...indices].sort((a, b) => a - b);

function shuffled(indices: readonly number[], random: Random): number[] {
  const order = [...indices];
  for (let i = order.length - 1; i > 0; i--) {
    const other = Math.floor(random.uniform() * (i + 1));
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  return order;
}

/** At least three quarters: one look at all shards then tests as many corruptions as it can, and some good ones. */
const most = (indices: readonly number[], random: Random): number[] =>
  shuffled(indices, random).slice(Math.floor((random.uniform() * indices.length) / 4));

/** At least one, and in half of the cases no more. */
const few = (indices: readonly number[], random: Random): number[] =>
  shuffled(indices, random).slice(0, 1 + Math.floor(Math.max(0, 2 * random.uniform() - 1) * indices.length));

function errorOf(act: () => unknown): unknown {
  try {
    act();
    return null;
  } catch (error) {
    return error;
  }
}
