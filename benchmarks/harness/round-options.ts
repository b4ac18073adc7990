import { parseArgs } from 'node:util';

export interface RoundOptions {
  readonly json: boolean;
  readonly quick: boolean;
  readonly rounds: number;
}

/** What the command line of a benchmark in rounds says. Null when it asked for help, which has been given. */
export function roundOptions(help: string): RoundOptions | null {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return null;
  }
  const { json, quick } = values;
  return { json, quick, rounds: Number(values.rounds ?? (quick ? 3 : 9)) };
}
