import { median, type Result, rounded } from '../harness/report.ts';
import type { SourceKind } from './contender.ts';
import { SWARM } from './holdfast.ts';
import { OPERATIONS, type Operation, type Round } from './rounds.ts';

const MiB = 2 ** 20;
type Measure = (round: Round) => number;

/** All rounds with one kind of source, as results: medians of ours, and ratios of medians where there is a peer. */
export function resultsOf(kind: SourceKind, rounds: readonly Round[]): Result[] {
  const sourceMiB = rounded(rounds[0]!.sourceBytes / MiB);
  const runs = rounds.filter((round) => round.contender === 'holdfast').length;
  const params = { source: kind, sourceMiB, ...SWARM, runs };
  const result = (
    name: string,
    unit: string,
    better: 'more' | 'less',
    measure: Measure,
    peers = true,
  ): Result => ({
    name,
    params,
    value: rounded(medianOf(rounds, 'holdfast', measure)),
    unit,
    ratios: peers ? ratios(rounds, better, measure) : {},
  });
  return [
    ...OPERATIONS.flatMap((operation) => ofOperation(operation, result)),
    result('stored after first backup', 'MiB', 'less', (round) => round.stored[0] / MiB),
    result('stored by changed backup', 'MiB', 'less', (round) => (round.stored[1] - round.stored[0]) / MiB),
  ];
}

function ofOperation(
  operation: Operation,
  result: (name: string, unit: string, better: 'more' | 'less', measure: Measure, peers?: boolean) => Result,
): Result[] {
  const cost = (round: Round) => round.costs[operation];
  return [
    result(operation, 'MiB/s', 'more', (round) => round.sourceBytes / MiB / cost(round).seconds),
    result(`${operation}, owner CPU`, 's', 'less', (round) => cost(round).cpuSeconds),
    result(`${operation}, peers CPU`, 's', 'less', (round) => cost(round).serverCpuSeconds, false),
    result(`${operation}, owner peak RSS`, 'MiB', 'less', (round) => cost(round).peakRssBytes / MiB),
    result(
      `${operation}, peer peak RSS`,
      'MiB',
      'less',
      (round) => cost(round).serverPeakRssBytes / MiB,
      false,
    ),
  ];
}

const medianOf = (rounds: readonly Round[], contender: string, measure: Measure): number =>
  median(rounds.filter((round) => round.contender === contender).map(measure));

function ratios(rounds: readonly Round[], better: 'more' | 'less', measure: Measure): Record<string, number> {
  const peers = [...new Set(rounds.map((round) => round.contender))].filter((name) => name !== 'holdfast');
  return Object.fromEntries(
    peers.map((peer) => {
      const [ours, theirs] = [medianOf(rounds, 'holdfast', measure), medianOf(rounds, peer, measure)];
      return [peer, rounded(better === 'more' ? ours / theirs : theirs / ours)];
    }),
  );
}
