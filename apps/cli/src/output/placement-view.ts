import type { HoldfastError, PeerRecord, StoredPlacement } from '@holdfast/contracts';
import type { PlacementAudit } from '@holdfast/engine';
import type { EligibilityReport, PlacementVerdict } from '@holdfast/placement';
import { shardRole } from '@holdfast/placement/relations';
import { formatCount } from '../units/count.ts';
import { formatMoment } from '../units/duration.ts';
import type { PeerNames } from '../vault/peer-names.ts';
import type { Colors } from './colors.ts';
import { jsonTime } from './json.ts';
import { facts, table } from './table.ts';

const MOST_BROKEN = 20;

export function auditJson(audit: PlacementAudit): Record<string, unknown> {
  return { ...audit };
}

export function auditLines(audit: PlacementAudit, names: PeerNames, colors: Colors): string[] {
  const { placements, unrecorded, relaxed, broken, unchecked } = audit;
  const sound = broken.length === 0;
  const headline = sound ? 'Every placement keeps the rules' : 'Placements break the rules';
  const missing = [...unchecked].map(([rule, count]) => `${rule} (${formatCount(count)})`).join(', ');
  return [
    `${sound ? colors.green('✓') : colors.red('✗')} ${colors.bold(headline)}`,
    ...facts([
      ['checked', formatCount(placements, 'placement')],
      ['relaxed', `${formatCount(relaxed)} say that they do not keep every soft rule`],
      ...(unrecorded > 0
        ? [['not recorded', `${formatCount(unrecorded)} from before records were kept`] as const]
        : []),
      ...(missing === '' ? [] : [['not known', `facts for the rules ${missing}`] as const]),
    ]),
    ...broken
      .slice(0, MOST_BROKEN)
      .flatMap(({ number, partition, violations }) => [
        `  partition #${number} ${colors.dim(partition)}`,
        ...violations.map(({ message }) => `    ${colors.red('✗')} ${names.inWords(message)}`),
      ]),
    ...(broken.length > MOST_BROKEN
      ? [`  … and ${formatCount(broken.length - MOST_BROKEN)} more; --json lists all.`]
      : []),
  ];
}

export interface PeerEligibility {
  readonly peer: PeerRecord;
  readonly failure: HoldfastError | null;
  readonly report: EligibilityReport;
}

export function eligibilityJson({ peer, failure, report }: PeerEligibility): Record<string, unknown> {
  const { eligible, preferred, checks } = report;
  return {
    id: peer.id,
    name: peer.name,
    eligible,
    preferred,
    checks,
    ...(failure ? { problem: { code: failure.code, message: failure.message } } : {}),
  };
}

export function eligibilityLines(peers: readonly PeerEligibility[], colors: Colors): string[] {
  if (peers.length === 0) return ['No peers yet. Let one in with: holdfast peers admit REQUEST'];
  const rows = peers.map(({ peer, failure, report }) => {
    const { eligible, preferred, reasons } = report;
    const state = preferred
      ? colors.green('eligible')
      : eligible
        ? colors.yellow('if need be')
        : colors.red('not eligible');
    const why = failure && peer.state === 'active' ? [failure.message.replace(/\.$/, '')] : reasons;
    return [colors.bold(peer.name), state, peer.operator, peer.region, why.join('; ')];
  });
  const titles = ['PEER', 'MAY GET SHARDS', 'OPERATOR', 'REGION', 'WHAT SPEAKS AGAINST IT'];
  return table(
    titles.map((title) => ({ title })),
    rows,
  );
}

export function placementJson(
  { stripe, complete, holdings, record }: StoredPlacement,
  verdict: PlacementVerdict,
  names: PeerNames,
): Record<string, unknown> {
  return {
    partition: stripe.id,
    number: stripe.number,
    state: complete ? 'complete' : 'journalled',
    k: stripe.k,
    m: stripe.m,
    shards: stripe.shards.map(({ peer }, index) => ({
      index,
      role: shardRole(index, stripe.k),
      peer,
      name: names.of(peer),
      since: jsonTime(since(holdings, index)),
    })),
    pastHolders: holdings
      .filter(({ past }) => past)
      .map(({ index, peer, since: from }) => {
        return { index, peer, name: names.of(peer), since: jsonTime(from) };
      }),
    record: record && {
      placedAt: jsonTime(record.placedAt),
      policy: record.policy,
      view: record.view,
      relaxations: record.relaxations,
      moves: record.moves,
    },
    ...verdict,
  };
}

export function placementLines(
  { stripe, complete, holdings, record }: StoredPlacement,
  { violations }: PlacementVerdict,
  names: PeerNames,
  colors: Colors,
): string[] {
  const { id, number, k, m, shards } = stripe;
  const rows = shards.map(({ peer }, index) => {
    const before = holdings.filter((holding) => holding.past && holding.index === index);
    return [
      String(index),
      shardRole(index, k),
      colors.bold(names.of(peer)),
      formatMoment(since(holdings, index)),
      before.map((holding) => names.of(holding.peer)).join(', '),
    ];
  });
  return [
    `Partition #${number} ${colors.bold(id)}`,
    ...facts([
      ['state', complete ? 'complete' : 'journalled: not all shards are known to be durable'],
      ['shards', `any ${k} of ${k + m} rebuild it`],
      ['policy', policyText(record)],
      ...(record?.relaxations ?? []).map(({ rule, reason }) => {
        return ['relaxed', `${colors.yellow(rule)}: ${reason}`] as const;
      }),
      ...violations.map(({ message }) => ['broken', colors.red(names.inWords(message))] as const),
    ]),
    '',
    ...table(
      ['SHARD', 'ROLE', 'PEER', 'SINCE', 'HELD BEFORE, OR PERHAPS STILL, BY'].map((title) => ({ title })),
      rows,
    ),
  ];
}

function policyText(record: StoredPlacement['record']): string {
  if (!record) return 'not recorded: it was placed by an earlier version';
  const { policy, placedAt } = record;
  return `version ${policy.version}, ${policy.mode}, on ${formatMoment(placedAt)}`;
}

/** When the present holder was chosen. */
function since(holdings: StoredPlacement['holdings'], index: number): number {
  return holdings.findLast((holding) => holding.index === index && !holding.past)?.since ?? 0;
}
