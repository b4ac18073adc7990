/** `npm run bench:placement`: speed, memory, evenness and movement of the assignment, beside CRUSH and consistent hashing. */
import { endProgress } from '../harness/progress.ts';
import { machine, print, type Result } from '../harness/report.ts';
import { roundOptions } from '../harness/round-options.ts';
import { crush } from './crush.ts';
import { manyResults } from './many.ts';
import { refusalResults } from './refusal.ts';
import { type Case, SCHEMES, speedResults } from './speed.ts';
import { spreadResults } from './spread.ts';

const HELP = `npm run bench:placement -- [--json] [--quick] [--rounds COUNT]

Partitions of 10+4 on 100, 1 000 and 10 000 peers (4+2 on 10; 14 shards on ten peers must be refused): placements and verifications a
second, preparation, a million partitions at a time, memory; how evenly load follows weight; and shards moved when a peer
joins, leaves or doubles, relative to those that must. Beside CRUSH's straw2 buckets, flat and in two levels, and a ring of
consistent hashing, in the same run, for the same peers and partitions. Times are CPU of one thread. Ratios above 1: ours is better.

  --json           one object on standard output
  --quick          3 short rounds instead of 9, fewer partitions, and less of 10 000 peers
  --rounds COUNT   how many rounds
`;

const CASES: readonly Case[] = [
  ...(['equal', 'skewed'] as const).flatMap((kind): Case[] => [
    { kind, peers: 10, k: 4, m: 2 },
    { kind, peers: 100, k: 10, m: 4 },
    { kind, peers: 1_000, k: 10, m: 4 },
    { kind, peers: 10_000, k: 10, m: 4 },
  ]),
  { kind: 'tight', peers: 100, k: 10, m: 4 },
  { kind: 'tight', peers: 1_000, k: 10, m: 4 },
];

const MILLION = 1_000_000;
/** A flat bucket looks at every peer 14 times and more: some hundred thousand placements would take it an hour. */
const MOST_PEERS_IN_A_BUCKET = 1_000;

/** Enough that chance moves what is counted by some per cent at most. */
function partitionsFor({ peers }: Case, quick: boolean): number {
  if (quick) return 2_000;
  return peers > MOST_PEERS_IN_A_BUCKET ? 200_000 : Math.max(50_000, 100 * peers);
}

/** With 10 000 peers, making the ring alone takes seconds each time. */
const isQuick = ({ kind, peers }: Case): boolean => peers <= MOST_PEERS_IN_A_BUCKET || kind === 'equal';

async function main(): Promise<void> {
  const asked = roundOptions(HELP);
  if (asked === null) return;
  const { json, quick, rounds } = asked;
  const results: Result[] = refusalResults();
  for (const one of quick ? CASES.filter(isQuick) : CASES) {
    results.push(...(await speedResults(one, { rounds, milliseconds: quick ? 80 : 200 })));
    results.push(...manyResults(one, quick ? MILLION / 100 : MILLION));
    if (quick && one.peers > MOST_PEERS_IN_A_BUCKET) continue;
    const schemes = SCHEMES.filter((scheme) => scheme !== crush || one.peers <= MOST_PEERS_IN_A_BUCKET);
    results.push(...spreadResults(one, partitionsFor(one, quick), schemes));
  }
  endProgress();
  print({ bench: 'placement', machine: machine(), results }, json);
}

await main();
