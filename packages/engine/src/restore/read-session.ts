import { HoldfastError, type SnapshotId, type SnapshotRecord, type Stripe } from '@holdfast/contracts';
import type { EngineContext, RunOptions } from '../api.ts';
import { SnapshotReader } from '../manifest/snapshot-reader.ts';
import { RunContext } from '../run-context.ts';
import { OpenedPartitions, tooFewShards } from './opened-partitions.ts';

/** Reading goes on without peers that say nothing for this long: the others have enough, and a hung one costs no more. */
const PEER_PATIENCE = 500;

/** What restore, verify and listing share: peers, threads and opened partitions, all ending with one task group. */
export class ReadSession {
  readonly run: RunContext;
  readonly partitions: OpenedPartitions;
  fetchedBytes = 0;

  private constructor(run: RunContext) {
    this.run = run;
    this.partitions = new OpenedPartitions({
      encryption: run.encryption,
      shards: run.shards,
      signal: run.tasks.signal,
      nameOf: (peer) => run.storage.name(peer),
      onFetched: (bytes) => this.#countFetched(bytes),
    });
  }

  /** Runs `work` and ends everything, whatever comes of it. */
  static async complete<T>(
    context: EngineContext,
    options: RunOptions,
    work: (session: ReadSession) => Promise<T>,
  ): Promise<T> {
    const results = ReadSession.stream(context, options, async function* (session) {
      yield await work(session);
    });
    let last: { readonly result: T } | undefined;
    for await (const result of results) last = { result };
    return last!.result;
  }

  /** The same for work whose results come one by one; ends too when its reader stops early. */
  static async *stream<T>(
    context: EngineContext,
    options: RunOptions,
    work: (session: ReadSession) => AsyncIterable<T>,
  ): AsyncGenerator<T> {
    const run = new RunContext(context, options);
    try {
      run.meter.phase('prepare');
      await run.storage.refresh(run.tasks.signal, PEER_PATIENCE);
      yield* work(new ReadSession(run));
      await run.tasks.settle();
    } finally {
      await run.close(new HoldfastError('CANCELLED', 'The reading ended early.'));
    }
  }

  async record(id: SnapshotId): Promise<SnapshotRecord> {
    const record = await this.run.engine.catalog.snapshot(id);
    if (record) return record;
    throw new HoldfastError('NOT_FOUND', `There is no snapshot ${id}.`, {
      hint: 'See `holdfast snapshots`.',
    });
  }

  open(record: SnapshotRecord): Promise<SnapshotReader> {
    return SnapshotReader.open(record, this.run.engine, this.partitions);
  }

  /** Every partition known so far that its peers do not have enough shards of, as an error that names them all. */
  async explainLoss(first: HoldfastError): Promise<HoldfastError> {
    const { known } = this.partitions;
    const answers = await this.run.shards.survey(known);
    const held = (stripe: Stripe) => answers.get(stripe)!.present;
    const lost = known.filter((stripe) => held(stripe).size < stripe.k);
    if (lost.length <= 1) return first;
    return tooFewShards(
      lost.map((stripe) => ({
        stripe,
        have: held(stripe).size,
        bad: this.#absent(stripe, held(stripe)),
      })),
      (peer) => this.run.storage.name(peer),
    );
  }

  #absent(stripe: Stripe, held: ReadonlySet<number>) {
    const reachable = new Set(this.run.storage.reachable().map(({ id }) => id));
    return [...stripe.shards.entries()]
      .filter(([index]) => !held.has(index))
      .map(([index, { peer }]) => ({
        index,
        peer,
        problem: reachable.has(peer) ? ('missing' as const) : ('unreachable' as const),
      }));
  }

  #countFetched(bytes: number): void {
    this.fetchedBytes += bytes;
    this.run.meter.add({ transferredBytes: bytes });
  }
}
