/** `npm run bench:erasure`: the erasure code alone, one thread, beside other implementations in the same run. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endProgress, tell } from '../harness/progress.ts';
import { machine, print, type Result } from '../harness/report.ts';
import { roundOptions } from '../harness/round-options.ts';
import { clayResults } from './clay.ts';
import { type CodingOptions, codingResults } from './coding.ts';
import { isalCoders } from './isal.ts';
import type { PeerProcess } from './peer-process.ts';
import { ronomonCoders } from './ronomon.ts';

const HELP = `npm run bench:erasure -- [--json] [--quick] [--rounds COUNT]

MiB/s of data that one thread encodes and rebuilds (as many primaries lost as parity allows, or one), verifies and updates, for
4+2, 10+4, 16+8 and 29+51 with shards of 64 KiB and 1 MiB, by each of our kernels; beside ISA-L (Debian's libisal-dev, installed
if need be) by its SSE path and its best, and @ronomon/reed-solomon (fetched with npm into node_modules/.cache). Both are
compiled with cc. What cannot be had is said and left out. Then the Clay code beside the plain one: bytes that repairing one shard
takes, and speed. Ratios are medians of the rounds' ratios.

  --json           one object on standard output
  --quick          3 short rounds instead of 9, and no scalar kernel
  --rounds COUNT   how many rounds
`;

/** What is measured; a further code is a function more. */
const SECTIONS: readonly ((peers: readonly PeerProcess[], options: CodingOptions) => Promise<Result[]>)[] = [
  codingResults,
  clayResults,
];

async function main(): Promise<void> {
  const asked = roundOptions(HELP);
  if (asked === null) return;
  const { json, quick, rounds } = asked;
  const options = { rounds, milliseconds: quick ? 15 : 50, scalar: !quick };
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  const peers: PeerProcess[] = [];
  try {
    peers.push(...(await isalCoders(directory, tell)), ...(await ronomonCoders(directory, tell)));
    const results: Result[] = [];
    for (const section of SECTIONS) results.push(...(await section(peers, options)));
    endProgress();
    const versions = Object.fromEntries(peers.map(({ name, version }) => [name, version]));
    print({ bench: 'erasure', machine: { ...machine(), ...versions }, results }, json);
  } finally {
    for (const peer of peers) await peer.close();
    await rm(directory, { recursive: true, force: true });
  }
}

await main();
