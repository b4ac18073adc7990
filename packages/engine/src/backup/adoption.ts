import {
  type Catalog,
  type ChunkId,
  HoldfastError,
  type PartitionJournal,
  type Stripe,
} from '@holdfast/contracts';
import type { EngineEvent, Policy } from '../api.ts';
import type { EncryptionManager } from '../sealing/encryption-manager.ts';
import type { ResealRequest } from '../sealing/protocol.ts';
import type { ShardManager } from '../shards/shard-manager.ts';
import type { ChunkIndex } from './chunk-index.ts';
import type { ChunkRef } from './chunk-ref.ts';
import type { StripeFlow } from './stripe-flow.ts';

interface AdoptedPartition {
  readonly journal: PartitionJournal;
  /** Raw bytes per frame, gathered as the source is read again; null before the first of them. */
  readonly frames: (SharedArrayBuffer | null)[];
  readonly lengths: readonly number[];
  readonly claimed: ChunkRef[];
  missing: number;
}

interface Place {
  readonly partition: AdoptedPartition;
  readonly frame: number;
  readonly offset: number;
  readonly length: number;
}

export interface AdoptionOptions {
  readonly catalog: Catalog;
  readonly shards: ShardManager;
  readonly encryption: EncryptionManager;
  readonly flow: StripeFlow;
  readonly index: ChunkIndex;
  readonly policy: Policy;
  readonly source: string;
  readonly signal: AbortSignal;
  readonly onEvent?: (event: EngineEvent) => void;
  /** Stores bytes in a new partition after all. */
  readonly readmit: (ref: ChunkRef, bytes: Uint8Array) => Promise<void>;
}

/**
 * Continues the partitions that an interrupted run of the same source left half sent. As the source is read again
 * their chunks turn up again; once all of one partition's are there it is sealed again with the journalled package
 * key, which gives the very same shards, and only those that no peer has yet are sent.
 */
export class Adoption {
  readonly #options: AdoptionOptions;
  readonly #places = new Map<ChunkId, Place>();
  readonly #waiting = new Set<AdoptedPartition>();
  #nextLane = 0;
  shardsResumed = 0;

  constructor(options: AdoptionOptions) {
    this.#options = options;
  }

  /** Whether chunks claimed may still lack a place. */
  get active(): boolean {
    return this.#waiting.size > 0;
  }

  /** Asks the peers what became of the journalled partitions, and finishes those that lack nothing. */
  async begin(): Promise<void> {
    const { catalog, shards, source, policy, signal, onEvent } = this.#options;
    const journals = (await catalog.journalledPartitions()).filter((journal) => journal.source === source);
    if (journals.length === 0) return;
    const answers = await shards.survey(
      journals.map(({ stripe }) => stripe),
      signal,
    );
    for (const journal of journals) {
      const { stripe } = journal;
      const { present, missing } = answers.get(stripe)!;
      // What a peer had acknowledged and no longer has is sent again.
      const acknowledged = [...new Set([...journal.acknowledged, ...present])]
        .filter((index) => !missing.has(index))
        .sort((a, b) => a - b);
      await catalog.acknowledgeShards(acknowledged.map((index) => ({ partition: stripe.id, index })));
      if (acknowledged.length === stripe.shards.length) {
        await catalog.completePartition(stripe.id);
        this.shardsResumed += acknowledged.length;
      } else if (sameCode(stripe, policy) && (await shards.mayResume(stripe)))
        this.#adopt({ ...journal, acknowledged });
      else await catalog.abandonPartition(stripe.id);
    }
    const shardsAlreadyStored =
      this.shardsResumed + [...this.#waiting].reduce((sum, p) => sum + p.journal.acknowledged.length, 0);
    onEvent?.({ type: 'resumed', partitions: journals.length, shardsAlreadyStored });
  }

  /** Takes a copy of the chunk if a journalled partition needs it. Its ref gets a place when that partition is stored. */
  claim(ref: ChunkRef, bytes: Uint8Array): boolean {
    const place = this.#places.get(ref.id);
    if (!place || place.length !== bytes.length) return false;
    this.#places.delete(ref.id);
    const { partition } = place;
    partition.frames[place.frame] ??= new SharedArrayBuffer(partition.lengths[place.frame]!);
    Buffer.from(partition.frames[place.frame]!, place.offset, place.length).set(bytes);
    partition.claimed.push(ref);
    this.#options.index.add(ref);
    partition.missing--;
    if (partition.missing === 0) this.#reseal(partition);
    return true;
  }

  /** No more chunks come: what is still incomplete is given up, and its chunks go into new partitions. */
  async end(): Promise<void> {
    for (const partition of [...this.#waiting]) if (partition.missing > 0) await this.#abandon(partition);
  }

  #adopt(journal: PartitionJournal): void {
    const lengths = journal.frames.map(({ chunks }) => chunks.reduce((sum, { length }) => sum + length, 0));
    const missing = journal.frames.reduce((sum, { chunks }) => sum + chunks.length, 0);
    const frames = lengths.map(() => null);
    const partition: AdoptedPartition = { journal, frames, lengths, claimed: [], missing };
    this.#waiting.add(partition);
    for (const [frame, { chunks }] of journal.frames.entries()) {
      let offset = 0;
      for (const { id, length } of chunks) {
        this.#places.set(id, { partition, frame, offset, length });
        offset += length;
      }
    }
  }

  #reseal(partition: AdoptedPartition): void {
    const { encryption, flow } = this.#options;
    const { journal } = partition;
    flow.expect({
      journal,
      stored: () => this.#stored(partition),
      useless: () => this.#abandon(partition),
    });
    const lane = this.#nextLane++ % encryption.lanes;
    flow.run(async () => {
      try {
        await encryption.reseal(lane, resealRequest(partition));
      } catch (error) {
        if (!HoldfastError.is(error, 'HASH_MISMATCH')) throw error;
        await this.#abandon(partition);
      }
    });
  }

  #stored(partition: AdoptedPartition): void {
    this.#waiting.delete(partition);
    this.shardsResumed += partition.journal.acknowledged.length;
    const { stripe, frames } = partition.journal;
    const locations = new Map<ChunkId, { frame: number; offset: number }>();
    for (const [frame, { chunks }] of frames.entries()) {
      let offset = 0;
      for (const { id, length } of chunks) {
        locations.set(id, { frame, offset });
        offset += length;
      }
    }
    for (const ref of partition.claimed) {
      ref.locate({ partition: stripe.number, length: ref.length, ...locations.get(ref.id)! });
      this.#options.index.forget(ref);
    }
  }

  async #abandon(partition: AdoptedPartition): Promise<void> {
    const { catalog, readmit } = this.#options;
    const { journal, frames, claimed } = partition;
    const refs = new Map(claimed.map((ref) => [ref.id, ref]));
    for (const [frame, { chunks }] of journal.frames.entries()) {
      let offset = 0;
      for (const { id, length } of chunks) {
        this.#places.delete(id);
        const ref = refs.get(id);
        if (ref) await readmit(ref, Buffer.from(frames[frame]!, offset, length));
        offset += length;
      }
    }
    this.#waiting.delete(partition);
    await catalog.abandonPartition(journal.stripe.id);
  }
}

/** A stripe is sealed again as it was or not at all. */
const sameCode = (stripe: Stripe, { k, m, helpers }: Policy): boolean =>
  stripe.k === k && stripe.m === m && stripe.helpers === helpers;

function resealRequest({ journal, frames }: AdoptedPartition): ResealRequest {
  const { id, number, epoch, sizeClass } = journal.stripe;
  return {
    identity: { id, number, epoch, packageKey: journal.packageKey },
    sizeClass,
    frames: frames.map((raw, i) => ({
      raw: raw!,
      codec: journal.frames[i]!.codec,
      chunks: journal.frames[i]!.chunks,
    })),
  };
}
