import { systemRandom } from '@holdfast/crypto';
import { systemClock } from '@holdfast/node';
import { loadConfig } from '../config/load.ts';
import { asHoldfastError, errorJson } from '../output/errors.ts';
import { takePassphrase } from '../vault/passphrase.ts';
import { readRoot } from '../vault/root.ts';
import { Agent } from './agent.ts';
import type { Log } from './log.ts';
import { lockAgent } from './only-one.ts';
import {
  freshState,
  readState,
  removeLeftovers,
  type SavedState,
  setAside,
  writeState,
} from './state-file.ts';
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
  const tasks = tasksOf({ vault, config, passphrase });
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
  const names = tasks.map((task) => task.name);
  log({ event: 'agent-started', vault, pid: process.pid, tasks: names, message: startedText(vault, names) });
  return {
    tasks: names,
    async run(signal) {
      hangups.answer(() => reloadFrom(agent, vault, passphrase, log));
      try {
        await agent.run(signal);
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
async function reloadFrom(agent: Agent, vault: string, passphrase: string | null, log: Log): Promise<void> {
  try {
    const config = await loadConfig(vault);
    const tasks = tasksOf({ vault, config, passphrase });
    agent.reload(tasks, config.agent.grace);
    const names = tasks.map((task) => task.name);
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

const startedText = (vault: string, names: readonly string[]): string =>
  `runs for ${vault}: ${listText(names)}`;

const listText = (names: readonly string[]): string =>
  names.length === 0 ? 'no source has a schedule' : names.join(', ');
