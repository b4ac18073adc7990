import {
  type Catalog,
  type PartitionId,
  type PeerId,
  type PeerRecord,
  type StoredPlacement,
  throwIfAborted,
} from '@holdfast/contracts';
import {
  auditPlacement,
  defaultRules,
  type PlacementVerdict,
  type Violation,
  verifyPlacement,
} from '@holdfast/placement';
import { RecordedViews, recordedRelaxations, recordedRules } from './recorded-facts.ts';

export interface BrokenPlacement {
  readonly partition: PartitionId;
  readonly number: number;
  readonly violations: readonly Violation[];
}

export interface PlacementAudit {
  readonly placements: number;
  /** Made before records were kept: only who has what was checked, by what is known of the peers today. */
  readonly unrecorded: number;
  /** That do not keep every soft rule, as they say themselves. */
  readonly relaxed: number;
  readonly broken: readonly BrokenPlacement[];
  /** How many placements lack a fact that a rule needs, by rule. */
  readonly unchecked: ReadonlyMap<string, number>;
}

export interface AuditOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

const PAGE = 1_000;

/**
 * Judges every placement that the catalog has, journalled or complete, by what was recorded with it. Fetches nothing, and
 * needs no keys.
 */
export async function auditPlacements(catalog: Catalog, options: AuditOptions = {}): Promise<PlacementAudit> {
  const { recorded, unrecorded } = await catalog.placementTotals();
  const total = recorded + unrecorded;
  const peers = new Map((await catalog.peers()).map((peer) => [peer.id, peer]));
  const views = new RecordedViews(catalog);
  const sum = { placements: 0, unrecorded: 0, relaxed: 0, broken: [] as BrokenPlacement[] };
  const unchecked = new Map<string, number>();
  for (let first = 0, after = 0; sum.placements < total && after < MOST_EMPTY; first += PAGE) {
    throwIfAborted(options.signal);
    const page = await catalog.placements(Array.from({ length: PAGE }, (_, i) => first + i));
    const before = sum.placements;
    for (const placement of page) {
      if (placement === null) continue;
      const verdict = await judge(placement, peers, views);
      const { id, number } = placement.stripe;
      sum.placements++;
      if (placement.record === null) sum.unrecorded++;
      if (verdict.relaxed.length > 0 || (placement.record?.relaxations.length ?? 0) > 0) sum.relaxed++;
      if (verdict.violations.length > 0) {
        sum.broken.push({ partition: id, number, violations: verdict.violations });
      }
      for (const rule of new Set(verdict.unchecked.map((one) => one.rule))) {
        unchecked.set(rule, (unchecked.get(rule) ?? 0) + 1);
      }
    }
    after = sum.placements === before ? after + 1 : 0;
    options.onProgress?.(sum.placements, total);
  }
  return { ...sum, unchecked };
}

/** Numbers have gaps where partitions were abandoned; another process may abandon some meanwhile, so there is an end. */
const MOST_EMPTY = 10_000;

/** What `auditPlacements` says of one. */
export async function judge(
  { stripe, holdings, record }: StoredPlacement,
  peers: ReadonlyMap<PeerId, PeerRecord>,
  views: RecordedViews,
): Promise<PlacementVerdict> {
  const partition = stripe.id;
  if (record === null) {
    const rules = defaultRules(stripe.k, stripe.m);
    const facts = new Map(
      holdings.flatMap(({ peer }) => {
        const known = peers.get(peer);
        return known ? [[peer, known] as const] : [];
      }),
    );
    const violations = verifyPlacement({ partition, placed: holdings, facts, rules });
    return { violations, relaxed: [], unchecked: [] };
  }
  return auditPlacement({
    partition,
    placed: holdings,
    facts: await views.facts(stripe, holdings, record),
    rules: recordedRules(stripe, record),
    relaxations: recordedRelaxations(record),
    now: record.placedAt,
  });
}
