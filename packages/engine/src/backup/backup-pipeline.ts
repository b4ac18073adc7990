import type { BackupRequest } from '../api.ts';
import { currentPlacement } from '../placement-policy.ts';
import type { RunContext } from '../run-context.ts';
import { Adoption } from './adoption.ts';
import { ChunkIndex } from './chunk-index.ts';
import { ChunkIntake } from './chunk-intake.ts';
import type { ChunkRef } from './chunk-ref.ts';
import { FrameAssembler } from './frame-assembler.ts';
import { PartitionBook } from './partition-book.ts';
import { PartitionSurvey } from './partition-survey.ts';
import { SlabCursor } from './slab-cursor.ts';
import { StripeFlow } from './stripe-flow.ts';

/** The way of new content, stage by stage: intake → frames → sealing lanes → stripes → peers. */
export class BackupPipeline {
  readonly survey: PartitionSurvey;
  readonly index: ChunkIndex;
  readonly assembler: FrameAssembler;
  readonly flow: StripeFlow;
  readonly adoption: Adoption;
  readonly intake: ChunkIntake;
  readonly book: PartitionBook;
  readonly cursor: SlabCursor;
  readonly patchCursor: SlabCursor;
  readonly #readmitCursor: SlabCursor;
  #readmitted: Promise<void> = Promise.resolve();

  constructor(run: RunContext, { name, onEvent }: BackupRequest) {
    const { engine, encryption, shards, tasks, meter } = run;
    const { catalog, clock, policy, keys } = engine;
    const { signal } = tasks;
    this.survey = new PartitionSurvey({ catalog, shards, clock, policy, signal, onEvent });
    this.index = new ChunkIndex(catalog, this.survey);
    this.book = new PartitionBook(catalog, currentPlacement(policy).settings);
    const shared = { encryption, index: this.index, tasks };
    this.assembler = new FrameAssembler({ ...shared, k: policy.k });
    this.flow = new StripeFlow({
      ...shared,
      shards,
      source: name,
      book: this.book,
      onSent: (transferredBytes) => meter.add({ transferredBytes }),
    });
    this.adoption = new Adoption({
      ...shared,
      catalog,
      shards,
      flow: this.flow,
      policy,
      source: name,
      signal,
      onEvent,
      readmit: (ref, bytes) => this.#readmit(ref, bytes),
    });
    this.intake = new ChunkIntake({
      index: this.index,
      assembler: this.assembler,
      adoption: this.adoption,
      chunkIdKey: keys.chunkIdKey(),
    });
    this.cursor = new SlabCursor(encryption.slabs, signal);
    this.patchCursor = new SlabCursor(encryption.slabs, signal);
    this.#readmitCursor = new SlabCursor(encryption.slabs, signal);
  }

  /** Everything taken in so far becomes durable. */
  async seal(): Promise<void> {
    await this.adoption.end();
    await this.assembler.flush();
    await this.flow.drained();
    // A journalled partition that could not be rebuilt has put its chunks back meanwhile.
    await this.assembler.flush();
    await this.flow.drained();
  }

  /** Brings chunks that are still being gathered on their way; false when some wait for something else. */
  async relieve(): Promise<boolean> {
    await this.assembler.submitOpen();
    return !this.adoption.active;
  }

  /** One at a time, from whichever partitions: they share a cursor, for a slab a chunk would soon use up the pool. */
  #readmit(ref: ChunkRef, bytes: Uint8Array): Promise<void> {
    const turn = this.#readmitted.then(async () => {
      const cursor = this.#readmitCursor;
      (await cursor.room(bytes.length)).set(bytes);
      cursor.filled(bytes.length);
      const offset = cursor.consume(bytes.length);
      await this.assembler.add(ref, { slab: cursor.slab, offset, length: bytes.length });
    });
    this.#readmitted = turn.catch(() => {});
    return turn;
  }
}
