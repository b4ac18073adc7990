import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

export interface FuzzOptions {
  readonly seed: number;
  /** Of fuzzing, for all targets together. Null: no limit in time. */
  readonly seconds: number | null;
  /** For each target. Null: no limit in runs. */
  readonly runs: number | null;
  /** Names, or beginnings of names; none for all. */
  readonly targets: readonly string[];
  readonly json: boolean;
  /** A saved finding to run again. */
  readonly replay: string | null;
}

const DEFAULT_SECONDS = 120;

export const USAGE = `npm run soak:fuzz -- [--seconds ${DEFAULT_SECONDS}] [--runs N] [--target NAME]… [--seed N] [--json] [--replay FILE]

Mutated and random input for every decoder of bytes from outside, hostile arguments for the erasure kernel, and corrupted
shards for all that must notice them. --seconds is for all targets together, --runs for each; whatever is reached first
ends it. --target takes a name or the beginning of several, and may be repeated. A violation makes it exit with 1 and
saves its input; give that file to --replay to see it again.`;

/** Null when help was asked for. */
export function fuzzOptions(argv: readonly string[]): FuzzOptions | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: 'string' },
      seconds: { type: 'string' },
      runs: { type: 'string' },
      target: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      replay: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const runs = values.runs === undefined ? null : whole(values.runs, '--runs', 1);
  const unlimited = runs === null ? DEFAULT_SECONDS : null;
  return {
    seed: values.seed === undefined ? randomInt(2 ** 31) : whole(values.seed, '--seed', 0),
    seconds: values.seconds === undefined ? unlimited : whole(values.seconds, '--seconds', 1),
    runs,
    targets: values.target,
    json: values.json,
    replay: values.replay ?? null,
  };
}

function whole(text: string, option: string, least: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`${option} takes a whole number of at least ${least}, not "${text}".`);
}
