import { HoldfastError } from '@holdfast/contracts';
import type { VaultKeys } from '@holdfast/crypto';
import type { EngineEvent } from '../api.ts';
import { ArenaSet } from './arena-set.ts';
import { nameOf } from './job-name.ts';
import { LaneRecord } from './lane-record.ts';
import type {
  FramePart,
  FramePlacement,
  JobRequest,
  SealedStripe,
  SealReport,
  ToWorker,
  WorkerInit,
} from './protocol.ts';
import { revive } from './worker-failure.ts';
import { type WorkerNews, WorkerThread } from './worker-thread.ts';

/** A job that has ended its thread so often will do so for ever. */
const MOST_DEATHS = 3;

interface Job {
  readonly request: JobRequest;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  /** Of a frame: what stands in stripes. */
  parts: readonly FramePart[];
}

export interface LaneOptions extends Omit<WorkerInit, 'closing' | 'sealingKeys' | 'chunkIdKey'> {
  readonly keys: VaultKeys;
  readonly arenas: number;
  readonly onEvent?: (event: EngineEvent) => void;
}

/**
 * One sealing thread with its jobs and arenas. Jobs outlive the thread: when it dies another takes its place, goes on with
 * the stripe that was open, and does again what had no answer. Whoever asked only waits longer, and what the job needs (slabs,
 * arenas, payloads) stays on loan meanwhile.
 */
export class Lane {
  readonly arenas: ArenaSet;
  readonly #options: LaneOptions;
  readonly #record = new LaneRecord();
  readonly #jobs = new Map<number, Job>();
  #thread: WorkerThread;
  #nextTicket = 0;
  #failure: HoldfastError | null = null;
  /** Since the last sign of progress, and so on account of one job. */
  #deaths = 0;
  onSealed: (stripe: SealedStripe) => void = () => {};

  constructor(options: LaneOptions) {
    this.#options = options;
    this.arenas = new ArenaSet(options.arenas, (arena) => this.#thread.post({ type: 'arena', arena }));
    this.#thread = this.#start();
  }

  tell(message: Extract<ToWorker, { type: 'identity' | 'release' | 'forget' }>): void {
    this.#record.given(message);
    this.#thread.post(message);
  }

  ask<T>(request: JobRequest): Promise<T> {
    if (this.#failure) return Promise.reject(this.#failure);
    const ticket = this.#nextTicket++;
    return new Promise<T>((resolve, reject) => {
      const job: Job = { request, resolve, reject, parts: [] };
      this.#jobs.set(ticket, job);
      if (this.#jobs.size === 1) this.#thread.keepProcess(true);
      this.#thread.post(messageOf(ticket, job));
    });
  }

  async close(): Promise<void> {
    this.#fail(new HoldfastError('CANCELLED', 'The engine is closed.'));
    await this.#thread.close();
    this.#record.destroy();
  }

  #start(): WorkerThread {
    const { keys, slabs, code, compressionLevel } = this.#options;
    return new WorkerThread({
      init: {
        sealingKeys: keys.exportSealing(),
        chunkIdKey: keys.chunkIdKey(),
        slabs,
        code,
        compressionLevel,
      },
      receive: (message) => this.#receive(message),
      ended: (cause) => this.#ended(cause),
    });
  }

  #receive(message: WorkerNews): void {
    if (this.#failure) return;
    if (message.type === 'sealed') {
      this.#deaths = 0;
      this.#sealed(this.#record.sealed(), message.report);
      return;
    }
    const job = this.#jobs.get(message.ticket)!;
    if (message.type === 'closing') {
      this.#note(job, message.parts);
      this.#record.closing(message.sizeClass);
      return;
    }
    this.#deaths = 0;
    this.#jobs.delete(message.ticket);
    if (this.#jobs.size === 0) this.#thread.keepProcess(false);
    if (message.type === 'result') this.#answer(job, message.value);
    else job.reject(revive(message.error));
  }

  #answer(job: Job, value: unknown): void {
    const { request } = job;
    if (request.type === 'frame') this.#note(job, (value as FramePlacement).parts);
    else if (request.type === 'open') this.#record.hasOpened(request.request);
    else if (request.type === 'reseal') {
      const report = value as SealReport;
      this.#record.resealed(report.arena);
      this.#sealed({ ...request.request, label: null }, report);
    }
    if (this.#failure) job.reject(this.#failure);
    else job.resolve(value as never);
  }

  /** Takes down what is new among the parts of a frame. */
  #note(job: Job, parts: readonly FramePart[]): void {
    if (job.request.type !== 'frame') return;
    const told = job.parts.reduce((sum, { chunks }) => sum + chunks, 0);
    const { chunks, label } = job.request.frame;
    this.#record.placed(parts.slice(job.parts.length), chunks.slice(told), label);
    job.parts = parts;
  }

  #sealed(
    { identity, label, frames }: Pick<SealedStripe, 'identity' | 'label' | 'frames'>,
    report: SealReport,
  ): void {
    const { code } = this.#options;
    const lengths = frames.flatMap(({ chunks }) => chunks.map(({ length }) => length));
    if (lengths.reduce((sum, length) => sum + length, 0) === report.rawSize)
      this.onSealed({
        ...report,
        ...code,
        identity,
        label,
        frames,
        arena: this.arenas.reference(report.arena),
      });
    else
      this.#fail(new HoldfastError('INTERNAL', `Partition ${identity.id} has other content than is known.`));
  }

  #ended(cause: Error): void {
    if (this.#failure) return;
    const job = nameOf(this.#jobs.values().next().value?.request, this.#record);
    this.#deaths++;
    if (!this.#thread.ready) this.#fail(died('could not start', cause));
    else if (this.#deaths < MOST_DEATHS) this.#replace(job.words, cause);
    else this.#fail(died(`died ${MOST_DEATHS} times ${job.words}`, cause, job.details));
  }

  #replace(job: string, cause: Error): void {
    try {
      this.#thread = this.#start();
    } catch (error) {
      this.#fail(died('could not start', error));
      return;
    }
    for (const arena of this.arenas.all) this.#thread.post({ type: 'arena', arena });
    for (const message of this.#record.toldAgain()) this.#thread.post(message);
    for (const [ticket, again] of this.#jobs) this.#thread.post(messageOf(ticket, again));
    this.#thread.keepProcess(this.#jobs.size > 0);
    this.#options.onEvent?.({ type: 'worker-restarted', job, reason: cause.message });
  }

  #fail(error: HoldfastError): void {
    this.#failure ??= error;
    for (const { reject } of this.#jobs.values()) reject(this.#failure);
    this.#jobs.clear();
    this.arenas.fail(this.#failure);
  }
}

const messageOf = (ticket: number, { request, parts }: Job): ToWorker =>
  request.type === 'frame' ? { ...request, ticket, done: parts } : { ...request, ticket };

const died = (how: string, cause: unknown, details: Readonly<Record<string, unknown>> = {}): HoldfastError =>
  new HoldfastError(
    'WORKER_DIED',
    `A sealing thread ${how}: ${cause instanceof Error ? cause.message : String(cause)}`,
    {
      hint: 'Should memory be short, set performance.workers lower. Run the command again: it continues where this run stopped.',
      cause,
      details,
    },
  );
