import { systemRandom } from '@holdfast/crypto';
import { systemClock } from '@holdfast/node';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { asHoldfastError, errorJson } from '../output/errors.ts';
import { protectedSources } from '../protect/configured.ts';
import { SharedVault } from '../protect/shared-vault.ts';
import { tellWaiting } from '../protect/tell-waiting.ts';
import { openVault } from '../vault/open.ts';
import { takePassphrase } from '../vault/passphrase.ts';
import { readRoot } from '../vault/root.ts';
import { Agent } from './agent.ts';
import type { Log } from './log.ts';
import { lockAgent } from './only-one.ts';
import { Protections, protectTaskName } from './protections.ts';
import {
  freshState,
  readState,
  removeLeftovers,
  type SavedState,
  setAside,
  writeState,
} from './state-file.ts';
import type { Task } from './task.ts';
import { tasksOf } from './tasks.ts';

export interface StartedAgent {
  /** Names. */
  readonly tasks: readonly string[];
  /** Until the signal fires and what is under way has ended. */
  run(signal: AbortSignal): Promise<void>;
}

/** Fails for what would fail every run: configuration, keys, passphrase, and another agent of the same vault (BUSY). */
export async function startAgent(vault: string, log: Log): Promise<StartedAgent> {
  const hangups = new Hangups();
  const config = await loadConfig(vault);
  const passphrase = await takePassphrase();
  (await readRoot(vault, { config, passphrase })).fill(0);
  const lock = await lockAgent(vault);
  const current = { config };
  const shared = new SharedVault({
    clock: systemClock,
    open: () => openVault(vault, { config: current.config, passphrase, write: true, patience: 0 }),
    onWaiting: tellWaiting(log),
  });
  const tasks = tasksOf({ vault, config, passphrase, shared });
  const protections = new Protections({ vault, clock: systemClock, shared, log });
  const saved = await recall(vault, log);
  const agent = new Agent({
    vault,
    clock: systemClock,
    log,
    tasks,
    saved,
    save: (state) => writeState(vault, state),
    grace: config.agent.grace,
  });
  const reload = (fresh: Config): string[] => {
    current.config = fresh;
    const renewed = tasksOf({ vault, config: fresh, passphrase, shared });
    agent.reload(renewed, fresh.agent.grace);
    protections.apply(fresh);
    return namesOf(renewed, fresh);
  };
  const names = namesOf(tasks, config);
  log({ event: 'agent-started', vault, pid: process.pid, tasks: names, message: startedText(vault, names) });
  return {
    tasks: names,
    async run(signal) {
      hangups.answer(() => reloadFrom(vault, reload, log));
      protections.apply(config);
      const protecting = protections.run(signal);
      try {
        await agent.run(signal);
        await protecting;
        log({ event: 'agent-stopped', message: 'stopped' });
      } finally {
        hangups.end();
        lock.release();
      }
    },
  };
}

/** SIGHUP, from the beginning, when it would still end the process: answered in order, the first ones once there is an agent. */
class Hangups {
  #missed = 0;
  #answers = Promise.resolve();
  #onHangup = (): void => {
    this.#missed++;
  };

  constructor() {
    process.on('SIGHUP', this.#listener);
  }

  answer(act: () => Promise<void>): void {
    this.#onHangup = () => {
      this.#answers = this.#answers.then(act);
    };
    if (this.#missed > 0) this.#onHangup();
  }

  end(): void {
    process.off('SIGHUP', this.#listener);
  }

  readonly #listener = (): void => this.#onHangup();
}

async function recall(vault: string, log: Log): Promise<SavedState> {
  await removeLeftovers(vault);
  const { state, damage } = await readState(vault);
  if (state) return state;
  if (damage !== null) {
    await setAside(vault).catch(() => {});
    log({
      event: 'state-damaged',
      level: 'warning',
      message: `what an earlier agent wrote down cannot be read (${damage}); it is put aside, and schedules begin anew`,
    });
  }
  return freshState(systemRandom);
}

/** A mistake in the file keeps the old configuration at work. */
async function reloadFrom(vault: string, reload: (config: Config) => string[], log: Log): Promise<void> {
  try {
    const names = reload(await loadConfig(vault));
    log({ event: 'reloaded', tasks: names, message: `read the configuration again: ${listText(names)}` });
  } catch (error) {
    const failure = asHoldfastError(error);
    log({
      event: 'reload-failed',
      level: 'error',
      ...errorJson(failure),
      message: `goes on with the old configuration: ${failure.message} [${failure.code}]`,
    });
  }
}

const namesOf = (tasks: readonly Task[], config: Config): string[] => [
  ...tasks.map((task) => task.name),
  ...protectedSources(config).map(([name]) => protectTaskName(name)),
];

const startedText = (vault: string, names: readonly string[]): string =>
  `runs for ${vault}: ${listText(names)}`;

const listText = (names: readonly string[]): string =>
  names.length === 0 ? 'no source has a schedule or continuous protection' : names.join(', ');
