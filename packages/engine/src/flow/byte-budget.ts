import { cancelled } from '@holdfast/contracts';

interface Waiter {
  readonly amount: number;
  readonly grant: () => void;
}

/**
 * Bounds how much may be under way at once. First come, first served, so that a large request is not starved by
 * small ones. A request above the whole limit is granted when nothing else is out: it could never fit otherwise.
 */
export class ByteBudget {
  readonly #limit: number;
  #used = 0;
  readonly #waiters: Waiter[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  async acquire(amount: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw cancelled(signal);
    if (this.#waiters.length === 0 && this.#fits(amount)) {
      this.#used += amount;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        amount,
        grant: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = () => {
        const index = this.#waiters.indexOf(waiter);
        if (index >= 0) this.#waiters.splice(index, 1);
        reject(cancelled(signal!));
        this.#grantWaiting();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.push(waiter);
    });
  }

  release(amount: number): void {
    this.#used -= amount;
    this.#grantWaiting();
  }

  #fits(amount: number): boolean {
    return this.#used + amount <= this.#limit || this.#used === 0;
  }

  #grantWaiting(): void {
    while (this.#waiters.length > 0 && this.#fits(this.#waiters[0]!.amount)) {
      const waiter = this.#waiters.shift()!;
      this.#used += waiter.amount;
      waiter.grant();
    }
  }
}
