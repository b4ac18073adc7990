import { median, type Result, rounded } from '../harness/report.ts';
import { SWARM } from '../path/holdfast.ts';
import { type Done, OPERATIONS, type Operation, type Round } from './rounds.ts';

const MiB = 2 ** 20;
type Measure = (done: Done, round: Round) => number;

interface Column {
  readonly name: string;
  readonly unit: string;
  readonly measure: Measure;
  readonly compared: boolean;
  readonly backupsOnly?: boolean;
}

/** Less is better in each. */
const COLUMNS: readonly Column[] = [
  { name: '', unit: 's', measure: ({ cost }) => cost.seconds, compared: true },
  { name: ', owner CPU', unit: 's', measure: ({ cost }) => cost.cpuSeconds, compared: true },
  { name: ', server CPU', unit: 's', measure: ({ cost }) => cost.serverCpuSeconds, compared: true },
  { name: ', peers CPU', unit: 's', measure: ({ cost }) => cost.peersCpuSeconds, compared: false },
  { name: ', owner peak RSS', unit: 'MiB', measure: ({ cost }) => cost.peakRssBytes / MiB, compared: true },
  {
    name: ', stored',
    unit: 'MiB',
    measure: ({ storedBytes }) => storedBytes / MiB,
    compared: true,
    backupsOnly: true,
  },
  {
    name: ', stored, of the first',
    unit: '%',
    measure: ({ storedBytes }, { done }) => (100 * storedBytes) / done['first backup']!.storedBytes,
    compared: true,
    backupsOnly: true,
  },
];

/** Medians of ours, and ratios of medians to the peers that did the same. */
export function resultsOf(rounds: readonly Round[]): Result[] {
  const runs = rounds.filter((round) => round.contender === 'holdfast').length;
  const params = { databaseMiB: rounded(rounds[0]!.databaseBytes / MiB), ...SWARM, runs };
  return OPERATIONS.flatMap((operation) =>
    COLUMNS.filter(({ backupsOnly }) => !backupsOnly || operation !== 'restore').map(
      ({ name, unit, measure, compared }): Result => {
        const ours = medianOf(rounds, 'holdfast', operation, measure)!;
        const ratios = compared ? ratiosTo(rounds, operation, measure, ours) : {};
        return { name: `${operation}${name}`, params, value: rounded(ours), unit, ratios };
      },
    ),
  );
}

function ratiosTo(
  rounds: readonly Round[],
  operation: Operation,
  measure: Measure,
  ours: number,
): Record<string, number> {
  const peers = [...new Set(rounds.map((round) => round.contender))].filter((name) => name !== 'holdfast');
  const theirs = peers.map((peer) => [peer, medianOf(rounds, peer, operation, measure)] as const);
  return Object.fromEntries(
    theirs.flatMap(([peer, value]) => (value === null || ours === 0 ? [] : [[peer, rounded(value / ours)]])),
  );
}

function medianOf(
  rounds: readonly Round[],
  contender: string,
  operation: Operation,
  measure: Measure,
): number | null {
  const values = rounds.flatMap((round) => {
    const done = round.done[operation];
    return round.contender === contender && done ? [measure(done, round)] : [];
  });
  return values.length === 0 ? null : median(values);
}
