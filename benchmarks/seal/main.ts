/** `npm run bench:seal`: what a sealing thread does with a partition, and what its primitives alone would allow. */
import { blakeImplementation } from '@holdfast/crypto';
import { endProgress } from '../harness/progress.ts';
import { machine, print, type Result } from '../harness/report.ts';
import { roundOptions } from '../harness/round-options.ts';
import { buildingResults } from './building.ts';
import { openingResults } from './opening.ts';
import { sealingResults } from './sealing.ts';
import type { Shape } from './sealing-pass.ts';
import { workerResults } from './workers.ts';

const HELP = `npm run bench:seal -- [--json] [--quick] [--rounds COUNT]

A payload of a full partition → sealed, coded and hashed shards of 1 MiB, for 4+2 and 10+4: MiB/s of payload by one thread and
by two, the share of each step, and the bound: what the ciphers, hashes and the code alone take for the same bytes, each
at its best. Also with compression before it, and the way back, with all primaries and with as many lost as parity allows.
Ratios are medians of the rounds' ratios.

  --json           one object on standard output
  --quick          3 short rounds instead of 9
  --rounds COUNT   how many rounds
`;

const SHAPES: readonly Shape[] = [
  { k: 4, m: 2 },
  { k: 10, m: 4 },
];
const SECTIONS = [sealingResults, workerResults, buildingResults, openingResults];

async function main(): Promise<void> {
  const asked = roundOptions(HELP);
  if (asked === null) return;
  const { json, quick, rounds } = asked;
  const options = { rounds, milliseconds: quick ? 50 : 200 };
  const results: Result[] = [];
  for (const shape of SHAPES) {
    for (const section of SECTIONS) results.push(...(await section(shape, options)));
  }
  endProgress();
  print({ bench: 'seal', machine: { ...machine(), blake3: blakeImplementation() }, results }, json);
}

await main();
