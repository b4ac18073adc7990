import type { Clock, HoldfastError } from '@holdfast/contracts';
import type { Config } from '../config/schema.ts';
import { asHoldfastError, errorJson } from '../output/errors.ts';
import { protectedSources } from '../protect/configured.ts';
import { lockProtection } from '../protect/running.ts';
import type { SharedVault } from '../protect/shared-vault.ts';
import { formatDuration } from '../units/duration.ts';
import type { Log } from './log.ts';

export interface ProtectionsOptions {
  readonly vault: string;
  readonly clock: Clock;
  readonly shared: SharedVault;
  readonly log: Log;
}

interface Running {
  /** The source's configuration as text: another one means another start. */
  readonly settings: string;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Before a protection that ended by itself is begun again. */
const [SHORTEST_WAIT, LONGEST_WAIT] = [5_000, 300_000];
/** One that went well for so long begins with the shortest wait again. */
const WELL = 600_000;

export const protectTaskName = (source: string): string => `protect:${source}`;

/** Continuous protection of all sources that want it, beside the schedules. What fails is tried again for as long as the agent runs. */
export class Protections {
  readonly #options: ProtectionsOptions;
  readonly #running = new Map<string, Running>();
  /** Also of those that are no longer wanted. */
  readonly #ends = new Set<Promise<void>>();
  #stopped = false;

  constructor(options: ProtectionsOptions) {
    this.#options = options;
  }

  /** Begins what is new or changed, ends what is no longer wanted. */
  apply(config: Config): void {
    if (this.#stopped) return;
    const wanted = new Map(protectedSources(config).map(([name, source]) => [name, JSON.stringify(source)]));
    for (const [name, { settings, stop }] of this.#running) {
      if (wanted.get(name) === settings) continue;
      stop.abort();
    }
    for (const [name, settings] of wanted) {
      const before = this.#running.get(name);
      if (before?.settings === settings && !before.stop.signal.aborted) continue;
      this.#begin(name, settings, config, before?.ended ?? Promise.resolve());
    }
  }

  /** Until the signal fires and all have stored what they received. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    if (!signal.aborted)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    this.#stopped = true;
    for (const { stop } of this.#running.values()) stop.abort();
    await Promise.all(this.#ends);
  }

  #begin(name: string, settings: string, config: Config, before: Promise<void>): void {
    const stop = new AbortController();
    const ended = before.then(() => this.#protect(name, config, stop.signal));
    this.#running.set(name, { settings, stop, ended });
    this.#ends.add(ended);
    void ended.finally(() => {
      this.#ends.delete(ended);
      if (this.#running.get(name)?.stop === stop) this.#running.delete(name);
    });
  }

  async #protect(name: string, config: Config, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const task = protectTaskName(name);
    const log: Log = (event) => this.#options.log({ task, ...event });
    for (let wait = SHORTEST_WAIT; !signal.aborted; wait = Math.min(LONGEST_WAIT, wait * 2)) {
      const began = clock.monotonic();
      try {
        await this.#protectOnce(name, config, log, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (clock.monotonic() - began > WELL) wait = SHORTEST_WAIT;
        tellFailure(log, asHoldfastError(error), wait);
        await clock.sleep(wait, { signal }).catch(() => {});
      }
    }
  }

  async #protectOnce(name: string, config: Config, log: Log, signal: AbortSignal): Promise<void> {
    const { vault, clock, shared } = this.#options;
    // With the driver, which others do without.
    const { protectSource } = await import('../protect/protect.ts');
    const lock = await lockProtection(vault, name);
    try {
      log({ event: 'protect-started', message: 'begins' });
      const report = await protectSource({ vault, name, config, clock, shared, log }, signal);
      log({ event: 'protect-stopped', ...report, message: 'stopped' });
    } finally {
      lock.release();
    }
  }
}

const tellFailure = (log: Log, failure: HoldfastError, wait: number): void =>
  log({
    event: 'protect-failed',
    level: 'error',
    ...errorJson(failure),
    message: `${failure.message} [${failure.code}]${failure.hint ? ` ${failure.hint}` : ''} Next try in ${formatDuration(wait)}.`,
  });
