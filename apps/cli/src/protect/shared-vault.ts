import { type Clock, HoldfastError, throwIfAborted } from '@holdfast/contracts';
import { type OpenVault, openVault } from '../vault/open.ts';

export interface SharedVaultOptions {
  readonly clock: Clock;
  /** BUSY is waited for. */
  readonly open: () => Promise<OpenVault>;
  /** After a minute of waiting, and every minute from then on. */
  readonly onWaiting: (error: HoldfastError, waitedMs: number) => void;
}

const [SHORTEST_WAIT, LONGEST_WAIT] = [100, 2_000];
const TELL_AFTER = 60_000;

/** One opened vault for all in this process who store something at the same time; closed, and left to others, when nobody does. */
export class SharedVault {
  readonly #options: SharedVaultOptions;
  #users = 0;
  #opening: { readonly vault: Promise<OpenVault>; readonly stop: AbortController } | null = null;
  /** The one before has been closed. */
  #closed: Promise<void> = Promise.resolve();

  constructor(options: SharedVaultOptions) {
    this.#options = options;
  }

  static of(
    vault: string,
    options: Parameters<typeof openVault>[1],
    how: Omit<SharedVaultOptions, 'open'>,
  ): SharedVault {
    return new SharedVault({
      ...how,
      open: () => openVault(vault, { ...options, write: true, patience: 0 }),
    });
  }

  async use<T>(work: (opened: OpenVault) => Promise<T>, signal: AbortSignal): Promise<T> {
    throwIfAborted(signal);
    this.#users++;
    try {
      this.#opening ??= this.#open();
      return await work(await unlessAborted(this.#opening.vault, signal));
    } finally {
      if (--this.#users === 0) await this.#close();
    }
  }

  #open(): { vault: Promise<OpenVault>; stop: AbortController } {
    const stop = new AbortController();
    const vault = this.#closed.then(() => this.#openWhenFree(stop.signal));
    const opening = { vault, stop };
    // The next one tries anew.
    vault.catch(() => {
      if (this.#opening === opening) this.#opening = null;
    });
    return opening;
  }

  async #openWhenFree(signal: AbortSignal): Promise<OpenVault> {
    const { clock, open, onWaiting } = this.#options;
    const began = clock.monotonic();
    let told = began;
    for (let wait = SHORTEST_WAIT; ; wait = Math.min(LONGEST_WAIT, wait * 2)) {
      throwIfAborted(signal);
      try {
        return await open();
      } catch (error) {
        if (!HoldfastError.is(error, 'BUSY')) throw error;
        const now = clock.monotonic();
        if (now - told >= TELL_AFTER) {
          told = now;
          onWaiting(error, now - began);
        }
      }
      await clock.sleep(wait, { signal });
    }
  }

  async #close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = null;
    if (opening === null) return;
    opening.stop.abort();
    this.#closed = opening.vault.then(
      (opened) => opened[Symbol.asyncDispose](),
      () => {},
    );
    await this.#closed;
  }
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const stop = (): void => {
      try {
        throwIfAborted(signal);
      } catch (error) {
        reject(error);
      }
    };
    signal.addEventListener('abort', stop, { once: true, signal: over.signal });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    over.abort();
  }
}
