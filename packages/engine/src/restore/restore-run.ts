import { HoldfastError, MiB, type Sink, type SnapshotRecord } from '@holdfast/contracts';
import type { Extent, ObjectRecord } from '@holdfast/formats';
import type { EngineContext, RestoreReport, RestoreRequest } from '../api.ts';
import { ByteBudget } from '../flow/byte-budget.ts';
import { ExtentRun } from './extent-run.ts';
import { ExtentWindow } from './extent-window.ts';
import { ReadSession } from './read-session.ts';
import { RestoredObject } from './restored-object.ts';

/** Raw bytes of frames wanted at once: how far fetching runs ahead of writing. */
const AHEAD_BYTES = 24 * MiB;
/** Objects open at the sink at once. */
const OPEN_OBJECTS = 64;

export function restoreSnapshot(context: EngineContext, request: RestoreRequest): Promise<RestoreReport> {
  return ReadSession.complete(context, request, (session) => new RestoreRun(session, request).execute());
}

/** Manifest → objects → extents → sink; every byte is verified before it is written. */
class RestoreRun {
  readonly #session: ReadSession;
  readonly #request: RestoreRequest;
  readonly #sink: Sink;
  readonly #ahead = new ByteBudget(AHEAD_BYTES);
  readonly #open: ByteBudget;
  /** Null between objects, and in one that was not selected. */
  #current: RestoredObject | null = null;
  #window = new ExtentWindow(0, 0);
  #extents = new ExtentRun();
  #objects = 0;
  #bytes = 0;

  constructor(session: ReadSession, request: RestoreRequest) {
    this.#session = session;
    this.#request = request;
    this.#sink = request.sink;
    this.#open = new ByteBudget(this.#sink.order === 'ascending' ? 1 : OPEN_OBJECTS);
  }

  async execute(): Promise<RestoreReport> {
    const { partitions, run } = this.#session;
    const { engine, tasks, storage } = run;
    const started = engine.clock.monotonic();
    const record = await this.#session.record(this.#request.snapshot);
    try {
      await this.#restore(record);
    } catch (error) {
      tasks.fail(error);
      await tasks.settle().catch(() => {});
      await this.#sink.abort();
      throw HoldfastError.is(error, 'TOO_FEW_SHARDS') ? await this.#session.explainLoss(error) : error;
    }
    return {
      snapshot: record.id,
      objects: this.#objects,
      bytes: this.#bytes,
      partitions: partitions.partitions,
      decoded: partitions.decoded,
      fetchedBytes: this.#session.fetchedBytes,
      faults: storage.faults(),
      seconds: (engine.clock.monotonic() - started) / 1000,
    };
  }

  async #restore(record: SnapshotRecord): Promise<void> {
    const { meter, tasks } = this.#session.run;
    const signal = tasks.signal;
    const reader = await this.#session.open(record);
    await this.#sink.begin({ attributes: reader.manifest.sourceAttributes }, { signal });
    if (this.#request.select) meter.expect(null, null);
    else meter.expect(record.totals.bytes, record.totals.objects);
    meter.phase('transfer');
    for await (const _ of reader.stripes()) tasks.throwIfFailed();
    for await (const metadata of reader.records()) {
      tasks.throwIfFailed();
      if (metadata.type === 'object') {
        await this.#end();
        this.#current = await this.#begin(metadata.object);
      } else if (this.#current) {
        for (const extent of metadata.extents) await this.#add(extent);
      }
    }
    await this.#end();
    await tasks.settle();
    meter.phase('finish');
    await this.#sink.finish({ signal });
  }

  async #begin(object: ObjectRecord): Promise<RestoredObject | null> {
    const window = this.#select(object);
    if (window === null) return null;
    this.#window = window;
    const { signal } = this.#session.run.tasks;
    await this.#open.acquire(1, signal);
    const writer = await this.#sink.create(
      { ...object, size: object.cut === null ? null : window.length },
      { signal },
    );
    return new RestoredObject(writer, this.#sink.order === 'ascending');
  }

  #select({ path, kind, attributes, size }: ObjectRecord): ExtentWindow | null {
    const selection = this.#request.select?.({ path, kind, attributes, size }) ?? true;
    if (selection === false) return null;
    return selection === true
      ? new ExtentWindow(0, size)
      : new ExtentWindow(selection.from, Math.min(size, selection.to));
  }

  async #add(whole: Extent): Promise<void> {
    const extent = this.#window.cut(whole);
    if (extent === null) return;
    if (extent.kind === 'data' && this.#extents.add(extent)) return;
    await this.#flush();
    if (extent.kind === 'data') this.#extents.add(extent);
    else this.#current!.skip(extent.length);
  }

  /** Fetches ahead as far as the budget allows; the write follows when the bytes are there. */
  async #flush(): Promise<void> {
    const extents = this.#extents;
    if (extents.bytes === 0) return;
    this.#extents = new ExtentRun();
    const { partitions, run } = this.#session;
    const { tasks, meter } = run;
    const absent = extents.frames.filter(({ partition, frame }) => !partitions.hasFrame(partition, frame));
    const cost = Math.max(extents.bytes, absent.length * MiB);
    await this.#ahead.acquire(cost, tasks.signal);
    tasks.throwIfFailed();
    const written = this.#current!.write(extents, ({ partition, frame }) =>
      partitions.frame(partition, frame),
    );
    tasks.run(async () => {
      try {
        await written;
        meter.add({ bytes: extents.bytes });
      } finally {
        this.#ahead.release(cost);
      }
    });
  }

  /** No more extents; completes in the background once all writes are done. */
  async #end(): Promise<void> {
    await this.#flush();
    const object = this.#current;
    if (!object) return;
    const { tasks, meter } = this.#session.run;
    this.#objects++;
    this.#bytes += object.size;
    tasks.run(async () => {
      await object.complete(tasks.signal);
      meter.add({ objects: 1 });
      this.#open.release(1);
    });
  }
}
