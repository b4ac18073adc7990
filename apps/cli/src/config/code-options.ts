import { HoldfastError } from '@holdfast/contracts';
import type { Command } from 'commander';
import { parseCount } from '../units/count.ts';
import type { PolicyConfig } from './schema.ts';

export interface CodeOptions {
  readonly k: string;
  readonly m: string;
  readonly helpers: string;
}

export type Code = Pick<PolicyConfig, 'k' | 'm' | 'helpers'>;

export const codeOptions = (command: Command): Command =>
  command
    .option('--k <count>', 'shards needed to rebuild a partition; fewer reveal nothing', '4')
    .option('--m <count>', 'parity shards: peers of a partition that may be lost', '2')
    .option('--helpers <count>', 'rebuild a lost shard from parts of so many others (Clay code)', '0');

/** CODE_PARAMETERS for helpers that no Clay code of this shape has. */
export async function parseCode(options: CodeOptions): Promise<Code> {
  const { helpersProblem } = await import('./schema.ts');
  const k = parseCount(options.k, '--k', 2, 200);
  const m = parseCount(options.m, '--m', 1, 255 - k);
  const helpers = parseCount(options.helpers, '--helpers', 0, 254);
  const problem = helpersProblem({ k, m, helpers });
  if (problem !== null) {
    throw new HoldfastError('CODE_PARAMETERS', `--helpers: ${problem}`, {
      hint: 'Leave it out for plain Reed–Solomon, which has every shape.',
      details: { k, m, helpers },
    });
  }
  return { k, m, helpers };
}

/** "any 4 of 6 shards rebuild a partition", and what a Clay code adds. */
export function codeInWords({ k, m, helpers }: Code): string {
  const any = `any ${k} of ${k + m} shards rebuild a partition`;
  return helpers === 0 ? any : `${any}, parts of ${helpers} one lost shard`;
}
