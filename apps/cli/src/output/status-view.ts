import { codeInWords } from '../config/code-options.ts';
import { PHYSICAL, physicalName } from '../protect/names.ts';
import { formatBytes } from '../units/bytes.ts';
import { formatCount } from '../units/count.ts';
import { formatAgo, formatMoment } from '../units/duration.ts';
import type { VaultState } from '../vault/observe.ts';
import { shortId } from '../vault/snapshot-id.ts';
import type { Colors } from './colors.ts';
import { jsonTime } from './json.ts';
import { protectionJson, protectionLines } from './protection-view.ts';
import { snapshotJson } from './snapshot-view.ts';
import { facts } from './table.ts';

export function statusJson(state: VaultState): Record<string, unknown> {
  const { totals, margins } = state;
  return {
    vault: state.vault,
    fingerprint: state.fingerprint,
    peers: {
      active: state.probes.length,
      reachable: state.probes.length - state.unreachable.length,
      unreachable: state.unreachable.map(({ peer, failure }) => ({
        id: peer.id,
        name: peer.name,
        code: failure?.code ?? null,
        message: failure?.message ?? null,
      })),
    },
    snapshots: state.snapshots,
    latest: Object.fromEntries(
      [...state.latest].map(([name, snapshot]) => [name, snapshot ? snapshotJson(snapshot) : null]),
    ),
    stored: {
      partitions: totals.partitions,
      chunks: totals.chunks,
      shards: totals.shards,
      rawBytes: totals.rawBytes,
      storedBytes: totals.storedBytes,
    },
    margin: {
      wanted: state.policy.m,
      least: margins.least,
      byMargin: margins.byMargin,
      unrestorablePartitions: margins.lost,
    },
    placement: placementJson(state),
    protected: state.protection.map(protectionJson),
    unfinishedPartitions: state.unfinished.length,
    warnings: state.warnings,
  };
}

function placementJson({ placements }: VaultState): Record<string, unknown> {
  const { recorded, unrecorded, relaxed, rules } = placements;
  return {
    recorded,
    unrecorded,
    relaxedPlacements: relaxed,
    relaxed: Object.fromEntries([...rules].map(([rule, { placements: count }]) => [rule, count])),
    newest: Object.fromEntries(
      [...rules].map(([rule, { newest }]) => [rule, { ...newest, at: jsonTime(newest.at) }]),
    ),
  };
}

export function statusLines(state: VaultState, colors: Colors, now: number): string[] {
  const { totals, probes, unreachable, policy } = state;
  const answering = probes.length - unreachable.length;
  const peers = `${answering} of ${probes.length} answer`;
  const physical = new Set(
    state.protection.flatMap(({ source }) => PHYSICAL.map((what) => physicalName(source, what))),
  );
  const latest = [...state.latest].filter(([name]) => !physical.has(name));
  return [
    headline(state, colors),
    ...facts([
      ['vault', `${state.vault}  ${colors.dim(state.fingerprint)}`],
      ['policy', `${codeInWords(policy)}; at most ${policy.maxPerOperator} shards per operator`],
      ['peers', unreachable.length === 0 ? peers : colors.yellow(peers)],
      ['margin', marginText(state, colors)],
      [
        'stored',
        `${formatBytes(totals.rawBytes)} of data as ${formatBytes(totals.storedBytes)} in ${formatCount(totals.shards, 'shard')}`,
      ],
      ['snapshots', formatCount(state.snapshots)],
      ...(state.unfinished.length > 0
        ? [['unfinished', unfinishedText(state.unfinished.length)] as const]
        : []),
    ]),
    ...(latest.length > 0 ? ['', 'Last backup'] : []),
    ...facts(
      latest.map(([name, snapshot]) => [
        name,
        snapshot
          ? `${formatMoment(snapshot.startedAt)}  ${colors.dim(formatAgo(snapshot.startedAt, now))}  ${shortId(snapshot.id)}  ${formatBytes(snapshot.totals.bytes)}`
          : colors.yellow('never'),
      ]),
    ),
    ...protectionLines(state.protection, colors, now),
    ...(state.warnings.length > 0 ? ['', 'Needs attention'] : []),
    ...state.warnings.map((warning) => `  ${colors.yellow('!')} ${warning}`),
  ];
}

function headline({ margins, snapshots, warnings }: VaultState, colors: Colors): string {
  if (margins.least !== null && margins.least < 0)
    return `${colors.red('✗')} ${colors.bold('Some data cannot be restored right now')}`;
  if (snapshots === 0) return `${colors.yellow('!')} ${colors.bold('Nothing is backed up yet')}`;
  if (warnings.length > 0)
    return `${colors.yellow('!')} ${colors.bold('Every snapshot can be restored, but look below')}`;
  return `${colors.green('✓')} ${colors.bold('Every snapshot can be restored')}`;
}

function marginText({ margins, policy }: VaultState, colors: Colors): string {
  const { least } = margins;
  if (least === null) return 'no partitions yet';
  if (least < 0) {
    const below = [...margins.byMargin]
      .filter(([margin]) => margin < 0)
      .reduce((sum, [, count]) => sum + count, 0);
    return colors.red(
      `${formatCount(below)} of ${formatCount(margins.partitions, 'partition')} below k shards`,
    );
  }
  const text =
    least === 0 ? 'no more lost peer can be borne' : `${formatCount(least, 'more lost peer')} can be borne`;
  return least < policy.m ? colors.yellow(text) : text;
}

const unfinishedText = (count: number): string =>
  `${formatCount(count, 'partition')} of an interrupted or running backup; the next one continues them`;
