import { type Clock, cancelled } from '@holdfast/contracts';

interface Sleeper {
  readonly wakeAt: number;
  readonly wake: () => void;
}

/** A clock that stands still until it is told to move. */
export class MemoryClock implements Clock {
  #now: number;
  #monotonic = 0;
  readonly #sleepers = new Set<Sleeper>();

  constructor(now = Date.UTC(2030, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  /** How many sleep now. */
  get sleepers(): number {
    return this.#sleepers.size;
  }

  sleep(milliseconds: number, options?: { signal?: AbortSignal }): Promise<void> {
    const signal = options?.signal;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(cancelled(signal));
        return;
      }
      const stop = (): void => {
        this.#sleepers.delete(sleeper);
        reject(cancelled(signal!));
      };
      const sleeper: Sleeper = {
        wakeAt: this.#monotonic + Math.max(0, milliseconds),
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal?.removeEventListener('abort', stop);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  /** Moves both times on, waking sleepers in the order of their times, with time for what they do then. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#monotonic + milliseconds;
    for (;;) {
      await settle();
      const next = [...this.#sleepers].sort((a, b) => a.wakeAt - b.wakeAt)[0];
      if (next === undefined || next.wakeAt > end) break;
      this.#moveTo(next.wakeAt);
      next.wake();
    }
    this.#moveTo(end);
    await settle();
  }

  /** Changes the wall clock only: somebody set it. */
  jump(milliseconds: number): void {
    this.#now = Math.max(0, this.#now + milliseconds);
  }

  #moveTo(moment: number): void {
    const step = Math.max(0, moment - this.#monotonic);
    this.#monotonic += step;
    this.#now += step;
  }
}

/** Lets everything that is ready run, promises that lead to promises included. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
