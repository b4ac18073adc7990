import { HoldfastError, MiB, type Stripe } from '@holdfast/contracts';
import { payloadCapacity } from '@holdfast/crypto';
import type { EncryptionManager, OpenPayload } from '../sealing/encryption-manager.ts';
import type { BadShard, FetchOutcome } from '../shards/fetch-race.ts';
import type { ShardManager } from '../shards/shard-manager.ts';
import { FrameCache, type LentFrame } from './frame-cache.ts';

/** Opened payloads kept for the next frame wanted from them. */
const PAYLOADS_KEPT_BYTES = 32 * MiB;

interface Opened {
  readonly stripe: Stripe;
  readonly buffer: SharedArrayBuffer;
  readonly payload: OpenPayload;
}

interface Entry {
  readonly opened: Promise<Opened>;
  readonly bytes: number;
  users: number;
}

export interface OpenedPartitionsOptions {
  readonly encryption: EncryptionManager;
  readonly shards: ShardManager;
  readonly signal: AbortSignal;
  readonly nameOf: (peer: Stripe['shards'][number]['peer']) => string;
  readonly onFetched: (bytes: number) => void;
}

/**
 * Partitions fetched, opened and decompressed on demand, each once while it is in use. Bounded: what nobody uses is
 * dropped, least recently used first. Asking ahead of time is how a restore keeps many peers busy.
 */
export class OpenedPartitions {
  readonly #options: OpenedPartitionsOptions;
  readonly #stripes = new Map<number, Stripe>();
  readonly #entries = new Map<number, Entry>();
  readonly #frames = new FrameCache((partition, frame, into) =>
    this.#using(partition, ({ payload }) => this.#options.encryption.inflate(payload, frame, into)),
  );
  readonly #spare: SharedArrayBuffer[] = [];
  #payloadBytes = 0;
  partitions = 0;
  decoded = 0;

  constructor(options: OpenedPartitionsOptions) {
    this.#options = options;
  }

  know(stripe: Stripe): void {
    this.#stripes.set(stripe.number, stripe);
  }

  get known(): readonly Stripe[] {
    return [...this.#stripes.values()];
  }

  hasFrame(partition: number, frame: number): boolean {
    return this.#frames.has(partition, frame);
  }

  /** TOO_FEW_SHARDS names the partition and what is missing. */
  frame(partition: number, frame: number): Promise<LentFrame> {
    return this.#frames.lend(partition, frame);
  }

  /** A whole partition's raw bytes, as copies of its frames. */
  async *allFrames(partition: number): AsyncGenerator<Uint8Array> {
    const count = await this.#using(partition, async ({ payload }) => payload.frames);
    for (let frame = 0; frame < count; frame++) {
      const { bytes, release } = await this.frame(partition, frame);
      yield Uint8Array.from(bytes);
      release();
    }
  }

  async #using<T>(partition: number, use: (opened: Opened) => Promise<T>): Promise<T> {
    const entry = this.#entry(partition);
    entry.users++;
    try {
      return await use(await entry.opened);
    } finally {
      entry.users--;
      this.#evict();
    }
  }

  #entry(partition: number): Entry {
    const known = this.#entries.get(partition);
    if (known) {
      this.#entries.delete(partition);
      this.#entries.set(partition, known);
      return known;
    }
    const stripe = this.#stripes.get(partition);
    if (!stripe)
      throw new HoldfastError(
        'FORMAT_INVALID',
        `The manifest does not say where partition number ${partition} is.`,
      );
    const bytes = payloadCapacity(stripe.k, stripe.sizeClass);
    const entry = { opened: this.#open(stripe, bytes), bytes, users: 0 };
    entry.opened.catch(() => this.#entries.delete(partition));
    this.#entries.set(partition, entry);
    this.#payloadBytes += bytes;
    return entry;
  }

  async #open(stripe: Stripe, bytes: number): Promise<Opened> {
    const { encryption, shards, signal, onFetched } = this.#options;
    const arena = await encryption.borrow(stripe);
    try {
      const outcome = await shards.fetch(stripe, arena.reference, stripe.k, signal);
      onFetched(outcome.fetchedBytes);
      if (outcome.present.length < stripe.k) throw this.#tooFew(stripe, outcome);
      const { id, epoch, k, m, helpers, sizeClass, size, checksum } = stripe;
      const buffer = this.#takeSpare(bytes);
      const payload = await encryption.open(arena, {
        id,
        epoch,
        k,
        m,
        helpers,
        sizeClass,
        size,
        checksum,
        present: outcome.present,
        payload: buffer,
      });
      this.partitions++;
      if (outcome.present.some((index) => index >= k)) this.decoded++;
      return { stripe, buffer, payload };
    } catch (error) {
      this.#payloadBytes -= bytes;
      throw error;
    } finally {
      encryption.giveBack(arena);
    }
  }

  #tooFew(stripe: Stripe, outcome: FetchOutcome): HoldfastError {
    return tooFewShards([{ stripe, have: outcome.present.length, bad: outcome.bad }], this.#options.nameOf);
  }

  #evict(): void {
    for (const [partition, entry] of this.#entries) {
      if (this.#payloadBytes <= PAYLOADS_KEPT_BYTES) return;
      if (entry.users > 0) continue;
      this.#entries.delete(partition);
      this.#payloadBytes -= entry.bytes;
      void entry.opened.then(({ buffer, payload }) => {
        this.#options.encryption.forget(payload);
        this.#spare.push(buffer);
      });
    }
  }

  #takeSpare(bytes: number): SharedArrayBuffer {
    const index = this.#spare.findIndex((buffer) => buffer.byteLength >= bytes);
    return index >= 0 ? this.#spare.splice(index, 1)[0]! : new SharedArrayBuffer(bytes);
  }
}

export interface LostPartition {
  readonly stripe: Stripe;
  readonly have: number;
  readonly bad: readonly BadShard[];
}

const NAMED_IN_MESSAGE = 5;

/** Names every partition that cannot be had, and what each lacks. */
export function tooFewShards(
  lost: readonly LostPartition[],
  nameOf: OpenedPartitionsOptions['nameOf'],
): HoldfastError {
  const lines = lost.slice(0, NAMED_IN_MESSAGE).map(({ stripe, have, bad }) => {
    const missing = bad
      .map(({ index, peer, problem }) => `shard ${index} on ${nameOf(peer)} (${problem})`)
      .join(', ');
    return `partition ${stripe.id}: ${have} of the ${stripe.k} shards needed; ${missing}`;
  });
  const more =
    lost.length > NAMED_IN_MESSAGE ? `; and ${lost.length - NAMED_IN_MESSAGE} more partitions` : '';
  return new HoldfastError('TOO_FEW_SHARDS', `Not enough shards: ${lines.join('; ')}${more}.`, {
    hint: 'Bring the peers named back, then run the command again. Nothing was changed at the target.',
    details: {
      partitions: lost.map(({ stripe, have, bad }) => ({
        partition: stripe.id,
        number: stripe.number,
        have,
        need: stripe.k,
        bad,
      })),
    },
  });
}
