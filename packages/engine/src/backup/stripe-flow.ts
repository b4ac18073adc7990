import { HoldfastError, type PartitionId, type PartitionJournal } from '@holdfast/contracts';
import type { TaskGroup } from '../flow/task-group.ts';
import type { EncryptionManager } from '../sealing/encryption-manager.ts';
import type { SealedStripe } from '../sealing/protocol.ts';
import type { ShardManager, StoreOutcome } from '../shards/shard-manager.ts';
import type { ChunkIndex } from './chunk-index.ts';
import type { PartitionBook } from './partition-book.ts';

/** What becomes of a journalled partition that was sealed again. */
export interface Resealed {
  readonly journal: PartitionJournal;
  readonly stored: () => void;
  /** It cannot be completed: its chunks must go into new partitions. */
  readonly useless: () => Promise<void>;
}

/** Carries sealed stripes from the workers' arenas to the peers, several at a time, and gives the arenas back. */
export class StripeFlow {
  readonly #encryption: EncryptionManager;
  readonly #shards: ShardManager;
  readonly #index: ChunkIndex;
  readonly #tasks: TaskGroup;
  readonly #source: string;
  readonly #book: PartitionBook;
  readonly #resealed = new Map<PartitionId, Resealed>();
  readonly #onSent: (bytes: number) => void;
  #underWay = 0;
  #idle: (() => void)[] = [];
  shardsSent = 0;
  sentBytes = 0;
  partitions = 0;

  constructor(options: {
    encryption: EncryptionManager;
    shards: ShardManager;
    index: ChunkIndex;
    tasks: TaskGroup;
    source: string;
    book: PartitionBook;
    onSent: (bytes: number) => void;
  }) {
    this.#encryption = options.encryption;
    this.#shards = options.shards;
    this.#index = options.index;
    this.#tasks = options.tasks;
    this.#source = options.source;
    this.#book = options.book;
    this.#onSent = options.onSent;
    this.#encryption.onSealed((lane, stripe) => this.#receive(lane, stripe));
  }

  /** A job whose failure ends the run, and which `drained` waits for. */
  run(job: () => Promise<void>): void {
    this.#underWay++;
    this.#tasks.run(async () => {
      try {
        await job();
      } finally {
        this.#underWay--;
        for (const resolve of this.#idle.splice(0)) resolve();
      }
    });
  }

  /** The next sealed stripe of this id completes a journalled partition. */
  expect(resealed: Resealed): void {
    this.#resealed.set(resealed.journal.stripe.id, resealed);
  }

  /** All stripes sealed so far are durable. */
  async drained(): Promise<void> {
    while (this.#underWay > 0) {
      this.#tasks.throwIfFailed();
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
    this.#tasks.throwIfFailed();
  }

  #receive(lane: number, sealed: SealedStripe): void {
    this.run(async () => {
      const resealed = this.#resealed.get(sealed.identity.id);
      let useless = false;
      try {
        if (resealed) useless = !(await this.#complete(resealed, sealed));
        else await this.#store(lane, sealed);
      } finally {
        this.#encryption.release(lane, sealed.arena.index);
      }
      // Only now: putting the chunks back may wait for the lane, and the lane for this very arena.
      if (useless) await resealed!.useless();
    });
  }

  async #store(lane: number, sealed: SealedStripe): Promise<void> {
    await this.#encryption.supplyIdentity(lane);
    const membership = await this.#book.enter(sealed.identity.id, sealed.label);
    const belonging = { source: this.#source, ...membership };
    this.#done(await this.#shards.store(sealed, belonging, this.#tasks.signal));
    this.partitions++;
  }

  /** False when it came out differently, or when nobody is left who may take the rest of it. */
  async #complete(resealed: Resealed, sealed: SealedStripe): Promise<boolean> {
    const { journal } = resealed;
    if (!isSame(journal, sealed)) return false;
    try {
      this.#done(await this.#shards.storeRest(journal, sealed.arena, this.#tasks.signal));
    } catch (error) {
      // Past holders count for this partition, but not for a new one: that may find its peers all the same.
      if (HoldfastError.is(error, 'PLACEMENT_REFUSED')) return false;
      throw error;
    }
    resealed.stored();
    return true;
  }

  #done({ stripe, sent, sentBytes }: StoreOutcome): void {
    this.#index.completed(stripe.number);
    this.shardsSent += sent;
    this.sentBytes += sentBytes;
    this.#onSent(sentBytes);
  }
}

const isSame = ({ stripe }: PartitionJournal, { hashes }: SealedStripe): boolean =>
  stripe.shards.every(({ hash }, index) => hash === hashes[index]);
