import type { Colors } from '../../apps/cli/src/output/colors.ts';
import { formatBytes } from '../../apps/cli/src/units/bytes.ts';
import { formatDuration } from '../../apps/cli/src/units/duration.ts';
import type { Comparison } from './compare.ts';
import type { Separation } from './witness.ts';

export interface SnapshotOutcome {
  readonly id: string;
  readonly bytes: number;
  /** Bytes sent to peers for it, parity included. */
  readonly sentBytes: number;
  readonly backupSeconds: number;
  readonly restoreSeconds: number;
  readonly comparison: Comparison;
}

export interface Outcome {
  readonly seed: number;
  readonly k: number;
  readonly m: number;
  readonly peers: number;
  readonly regions: number;
  readonly killed: readonly string[];
  readonly shardsCorrupted: number;
  readonly corruptedOn: string;
  /** Times that a restore was given wrong bytes, noticed, and took another shard. */
  readonly wrongShardsNoticed: number;
  readonly rowsChanged: number;
  /** Size of the database as of the second snapshot. */
  readonly bytesSource: number;
  /** Size of all shards on the peers' disks, both snapshots and parity included. */
  readonly bytesStored: number;
  readonly snapshots: readonly SnapshotOutcome[];
  readonly separation: Separation;
  /** What a compressor could take off the shards, 0 … 1. */
  readonly compressible: number;
  readonly unexplainedShards: number;
  readonly seconds: number;
}

export interface Promised {
  readonly promise: string;
  readonly seen: string;
  readonly kept: boolean;
}

export const isIdentical = (outcome: Outcome): boolean =>
  outcome.snapshots.length === 2 && outcome.snapshots.every((one) => one.comparison.differences.length === 0);

/** Each promise beside what this run saw of it. The demo succeeds when all are kept. */
export function promises(outcome: Outcome): Promised[] {
  const { separation, snapshots, k, m } = outcome;
  const [first, second] = snapshots;
  const rows = snapshots.map((one) => grouped(one.comparison.rows)).join(' and ');
  const files = snapshots.every((one) => one.comparison.sameFile) ? '; the files too, byte for byte' : '';
  return [
    {
      promise: 'Both snapshots come back, row by row',
      seen: isIdentical(outcome) ? `${rows} rows identical${files}` : differences(outcome),
      kept: isIdentical(outcome),
    },
    {
      promise: `Any ${m} peers of a partition may be lost`,
      seen: `${outcome.killed.join(' and ')} killed`,
      kept: outcome.killed.length === m,
    },
    {
      promise: 'Wrong bytes are noticed and replaced',
      seen: `${outcome.shardsCorrupted} shards rotted on ${outcome.corruptedOn}, ${outcome.wrongShardsNoticed} times refused`,
      kept: outcome.shardsCorrupted > 0 && isIdentical(outcome),
    },
    {
      promise: 'No peer ever held two shards of a partition',
      seen: `${separation.violations.length} violations; ${grouped(separation.shards)} shards of ${separation.partitions} partitions`,
      kept: separation.violations.length === 0 && outcome.unexplainedShards === 0,
    },
    {
      promise: 'No operator can rebuild anything',
      seen: `at most ${separation.mostPerOperator} shards of a partition with one operator; ${k} are needed`,
      kept: separation.operatorViolations.length === 0 && separation.mostPerOperator < k,
    },
    {
      promise: 'To a peer, a shard is noise',
      seen: `zstd takes ${(outcome.compressible * 100).toFixed(2)} % off`,
      kept: outcome.compressible < 0.001,
    },
    {
      promise: 'A later backup sends what changed',
      seen: `${formatBytes(second?.sentBytes ?? 0)} instead of ${formatBytes(first?.sentBytes ?? 0)}`,
      kept: first !== undefined && second !== undefined && second.sentBytes < first.sentBytes,
    },
  ];
}

export function promiseLines(outcome: Outcome, colors: Colors): string[] {
  const all = promises(outcome);
  const widest = Math.max(...all.map(({ promise }) => promise.length));
  return all.map(({ promise, seen, kept }) => {
    const mark = kept ? colors.green('✓') : colors.red('✗');
    return `  ${mark} ${promise.padEnd(widest)}   ${kept ? seen : colors.red(seen)}`;
  });
}

/** What `--json` prints. */
export function outcomeJson(outcome: Outcome): Record<string, unknown> {
  const { separation, killed, snapshots, ...rest } = outcome;
  return {
    identical: isIdentical(outcome),
    asPromised: promises(outcome).every(({ kept }) => kept),
    separationViolations: separation.violations.length,
    operatorViolations: separation.operatorViolations.length,
    peersKilled: killed.length,
    ...rest,
    partitions: separation.partitions,
    shards: separation.shards,
    mostShardsPerOperator: separation.mostPerOperator,
    snapshots: snapshots.map(({ comparison, ...snapshot }) => ({ ...snapshot, ...comparison })),
  };
}

export const closingLine = ({ bytesSource, bytesStored, peers, m, seconds }: Outcome): string =>
  `${formatBytes(bytesSource)} of database in two versions take ${formatBytes(bytesStored)} on ${peers} peers, any ${m} of which may go. ` +
  `${formatDuration(seconds * 1000)} in all.`;

const differences = (outcome: Outcome): string =>
  outcome.snapshots.flatMap((one) => one.comparison.differences).join('; ') || 'not restored';

/** `1 042 113` */
export const grouped = (value: number): string => value.toLocaleString('en').replaceAll(',', ' ');
