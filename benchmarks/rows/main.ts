/** `npm run bench:rows`: what telling rows apart and hashing them costs, beside a BLAKE3 of each. */
import { blakeImplementation } from '@holdfast/crypto';
import { endProgress } from '../harness/progress.ts';
import { machine, print, type Result } from '../harness/report.ts';
import { roundOptions } from '../harness/round-options.ts';
import { intakeResults } from './intake.ts';

const HELP = `npm run bench:rows -- [--json] [--quick] [--rounds COUNT]

Streams of COPY, binary and text, and tuples alone, of rows of 40, 200 and 2 000 bytes in a handful of fields: MiB/s of tuples by one
thread, from the socket's chunk to whole rows with their hashes in a buffer. Beside it, over the same rows: BLAKE3 of each
row, which has then been neither found nor moved. Times are CPU of the thread. Ratios are medians of the rounds' ratios; above 1:
ours is faster.

  --json           one object on standard output
  --quick          3 short rounds instead of 9
  --rounds COUNT   how many rounds
`;

const ROW_BYTES = [40, 200, 2_000];

async function main(): Promise<void> {
  const asked = roundOptions(HELP);
  if (asked === null) return;
  const { json, quick, rounds } = asked;
  const results: Result[] = [];
  for (const bytes of ROW_BYTES) {
    results.push(...(await intakeResults(bytes, { rounds, milliseconds: quick ? 50 : 200 })));
  }
  endProgress();
  print({ bench: 'rows', machine: { ...machine(), blake3: blakeImplementation() }, results }, json);
}

await main();
