import { cancelled } from '@holdfast/contracts';

/**
 * Tasks that live and die together: the first failure aborts the others through `signal`, and `settle` waits for
 * every one of them to end (buffers they borrowed are free only then) before it throws that first failure.
 */
export class TaskGroup {
  readonly #controller = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #outer: AbortSignal | undefined;
  #failure: unknown;
  #failed = false;
  readonly #onOuterAbort = () => this.fail(cancelled(this.#outer!));

  constructor(outer?: AbortSignal) {
    this.#outer = outer;
    if (outer?.aborted) this.#onOuterAbort();
    else outer?.addEventListener('abort', this.#onOuterAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#failure = error;
    this.#controller.abort(error);
  }

  /** Starts a task. It should end soon after `signal` fires. */
  run(task: () => Promise<void>): void {
    const running = task().catch((error: unknown) => this.fail(error));
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
  }

  throwIfFailed(): void {
    if (this.#failed) throw this.#failure;
  }

  /** Ends with the first failure, after all tasks have ended. */
  async settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
    this.#outer?.removeEventListener('abort', this.#onOuterAbort);
    this.throwIfFailed();
  }
}
