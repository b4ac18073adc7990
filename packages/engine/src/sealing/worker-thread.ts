import { Worker } from 'node:worker_threads';
import { ERROR_CODES, type ErrorCode, HoldfastError } from '@holdfast/contracts';
import type { FromWorker, SealedStripe, ToWorker, WorkerFailure, WorkerInit } from './protocol.ts';

/** What a worker allocates is mostly buffers outside of its heap; collecting often keeps them few. */
const YOUNG_GENERATION_MB = 4;

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** The request part of every message that is answered; the ticket is added here. */
type Request = ToWorker extends infer M ? (M extends { ticket: number } ? Omit<M, 'ticket'> : never) : never;

/** One sealing thread as seen from the main thread. If it dies, everything asked of it fails with INTERNAL. */
export class WorkerThread {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  readonly #closing = new Int32Array(new SharedArrayBuffer(4));
  readonly #pending = new Map<number, Pending>();
  #nextTicket = 0;
  #dead: HoldfastError | null = null;
  onSealed: (stripe: SealedStripe) => void = () => {};
  /** Called once when the thread ends though nobody asked it to. */
  onDeath: (error: HoldfastError) => void = () => {};

  constructor(init: Omit<WorkerInit, 'closing'>) {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { ...init, closing: this.#closing.buffer } satisfies WorkerInit,
      name: 'holdfast-seal',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (error) => this.#die(error));
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#die(undefined);
        resolve();
      });
    });
    this.#worker.unref();
  }

  post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  ask<T>(request: Request): Promise<T> {
    if (this.#dead) return Promise.reject(this.#dead);
    const ticket = this.#nextTicket++;
    return new Promise<T>((resolve, reject) => {
      this.#pending.set(ticket, { resolve, reject });
      if (this.#pending.size === 1) this.#worker.ref();
      this.#worker.postMessage({ ...request, ticket });
    });
  }

  /**
   * The thread ends by itself, between two jobs. `terminate` would stop it anywhere, and when that is within zlib's
   * constructor Node aborts the whole process ("close before init", seen with Node 24.21).
   */
  async close(): Promise<void> {
    this.#dead ??= new HoldfastError('CANCELLED', 'The engine is closed.');
    this.#rejectAll(this.#dead);
    Atomics.store(this.#closing, 0, 1);
    this.#worker.ref();
    this.post({ type: 'close' });
    await this.#ended;
  }

  #receive(message: FromWorker): void {
    if (message.type === 'sealed') {
      this.onSealed(message.stripe);
      return;
    }
    const pending = this.#pending.get(message.ticket);
    this.#pending.delete(message.ticket);
    if (this.#pending.size === 0) this.#worker.unref();
    if (message.type === 'result') pending?.resolve(message.value as never);
    else pending?.reject(revive(message.error));
  }

  #die(cause: unknown): void {
    if (this.#dead) return;
    this.#dead = new HoldfastError('INTERNAL', 'A sealing thread ended unexpectedly.', {
      cause,
      hint: 'Run the command again: it continues where this run stopped. Please report this.',
    });
    this.#rejectAll(this.#dead);
    this.onDeath(this.#dead);
  }

  #rejectAll(error: HoldfastError): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

function revive(failure: WorkerFailure): HoldfastError {
  const code = failure.code in ERROR_CODES ? (failure.code as ErrorCode) : 'INTERNAL';
  const error = new HoldfastError(code, failure.message, { hint: failure.hint, details: failure.details });
  if (failure.stack) error.stack = failure.stack;
  return error;
}
