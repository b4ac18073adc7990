import { Worker } from 'node:worker_threads';
import { wipe } from '@holdfast/crypto';
import type { FromWorker, ToWorker, WorkerInit } from './protocol.ts';

/** What a worker allocates is mostly buffers outside of its heap; collecting often keeps them few. */
const YOUNG_GENERATION_MB = 4;

/** All that a thread has to say but that it is ready. */
export type WorkerNews = Exclude<FromWorker, { type: 'ready' }>;

export interface WorkerThreadOptions {
  /** The keys in it are wiped: the thread has its own copy. */
  readonly init: Omit<WorkerInit, 'closing'>;
  readonly receive: (message: WorkerNews) => void;
  /** Called once. Whatever the thread had sent has been received, and it no longer touches any memory. */
  readonly ended: (cause: Error) => void;
}

/** One sealing thread as seen from the main thread. */
export class WorkerThread {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  readonly #closing = new Int32Array(new SharedArrayBuffer(4));
  #ready = false;

  constructor({ init, receive, ended }: WorkerThreadOptions) {
    try {
      this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
        workerData: { ...init, closing: this.#closing.buffer } satisfies WorkerInit,
        name: 'holdfast-seal',
        resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      });
    } finally {
      wipe(init.sealingKeys);
    }
    this.#worker.on('message', (message: FromWorker) => {
      if (message.type === 'ready') this.#ready = true;
      else receive(message);
    });
    // What was thrown may come before messages that were sent earlier; the exit comes after all of them.
    let cause: Error | undefined;
    this.#worker.on('error', (error: Error) => {
      cause = error;
    });
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        resolve();
        ended(cause ?? new Error(`The thread ended with code ${code}.`));
      });
    });
    this.#worker.unref();
  }

  /** Whether it ever got as far as taking messages. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Lost when the thread has ended. */
  post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /** The process waits for a thread that has something to do, and for no other. */
  keepProcess(busy: boolean): void {
    if (busy) this.#worker.ref();
    else this.#worker.unref();
  }

  /**
   * The thread ends by itself, between two jobs. `terminate` would stop it anywhere, and when that is within zlib's
   * constructor Node aborts the whole process ("close before init", seen with Node 24.21).
   */
  async close(): Promise<void> {
    Atomics.store(this.#closing, 0, 1);
    this.#worker.ref();
    this.post({ type: 'close' });
    await this.#ended;
  }
}
