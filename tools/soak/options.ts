import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

export interface SoakOptions {
  readonly seed: number;
  readonly kills: number;
  /** Landed kills between two checks of everything. */
  readonly checkEvery: number;
  readonly json: boolean;
  /** Leaves the swarm's files where they are, to look into a violation. */
  readonly keep: boolean;
}

export const USAGE = `npm run soak:crash -- [--kills 200] [--seed N] [--check-every 50] [--json] [--keep]

Kills the owner and peers of a real swarm at random moments of backups and restores, and checks that nothing
acknowledged is ever lost or wrong. The seed decides what is edited, what runs, who is killed and how far into the
run; give a printed one to repeat its schedule.`;

/** Null when help was asked for. */
export function soakOptions(argv: readonly string[]): SoakOptions | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: 'string' },
      kills: { type: 'string', default: '200' },
      'check-every': { type: 'string', default: '50' },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  return {
    seed: values.seed === undefined ? randomInt(2 ** 31) : whole(values.seed, '--seed', 0),
    kills: whole(values.kills, '--kills', 1),
    checkEvery: whole(values['check-every'], '--check-every', 1),
    json: values.json,
    keep: values.keep,
  };
}

function whole(text: string, option: string, least: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`${option} takes a whole number of at least ${least}, not "${text}".`);
}
