import { type Clock, HoldfastError, throwIfAborted } from '@holdfast/contracts';
import type { OpenVault } from '../vault/open.ts';

export interface SharedVaultOptions {
  readonly clock: Clock;
  /** At once, or BUSY. */
  readonly open: () => Promise<OpenVault>;
  /** After a minute of waiting, and every minute from then on. */
  readonly onWaiting: (error: HoldfastError, waitedMs: number) => void;
}

export interface VaultLease extends AsyncDisposable {
  readonly opened: OpenVault;
}

const [SHORTEST_WAIT, LONGEST_WAIT] = [100, 2_000];
/** Between closing and opening again, so that commands that wait for the lock get it. */
const COURTESY = 200;
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

  /** BUSY is waited for. */
  async use<T>(work: (opened: OpenVault) => Promise<T>, signal: AbortSignal): Promise<T> {
    const lease = await this.#lease(signal, true);
    try {
      return await work(lease.opened);
    } finally {
      await lease[Symbol.asyncDispose]();
    }
  }

  /** To be given back. BUSY at once when another process holds the vault; when somebody here waits for it already, it is waited for. */
  lease(signal: AbortSignal): Promise<VaultLease> {
    return this.#lease(signal, false);
  }

  async #lease(signal: AbortSignal, patient: boolean): Promise<VaultLease> {
    throwIfAborted(signal);
    this.#users++;
    let given = false;
    const giveBack = async (): Promise<void> => {
      if (given) return;
      given = true;
      if (--this.#users === 0) await this.#close();
    };
    try {
      return { opened: await this.#opened(signal, patient), [Symbol.asyncDispose]: giveBack };
    } catch (error) {
      await giveBack();
      throw error;
    }
  }

  async #opened(signal: AbortSignal, patient: boolean): Promise<OpenVault> {
    for (;;) {
      this.#opening ??= this.#open(patient);
      try {
        return await unlessAborted(this.#opening.vault, signal);
      } catch (error) {
        // It was opened for somebody who does not wait.
        if (!patient || signal.aborted || !HoldfastError.is(error, 'BUSY')) throw error;
      }
    }
  }

  #open(patient: boolean): { vault: Promise<OpenVault>; stop: AbortController } {
    const stop = new AbortController();
    const vault = this.#closed.then(() => (patient ? this.#openWhenFree(stop.signal) : this.#options.open()));
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
    const closed = opening.vault.then(
      (opened) => opened[Symbol.asyncDispose](),
      () => {},
    );
    this.#closed = closed.then(() => this.#options.clock.sleep(COURTESY));
    await closed;
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
