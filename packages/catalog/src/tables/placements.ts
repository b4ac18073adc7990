import { createHash } from 'node:crypto';
import {
  bytesToUuid,
  HoldfastError,
  type MoveNote,
  type PartitionId,
  type PeerView,
  type PlacementNote,
  type PlacementRecord,
  type PlacementTotals,
  peerIdFromKey,
  type RecordedPolicy,
  type RecordedRelaxation,
  type StoredPlacement,
  type SwarmView,
  uuidToBytes,
} from '@holdfast/contracts';
import { encodeSwarmView } from '@holdfast/formats';
import { PARTITION_STATE, type Query } from '../schema.ts';
import { addToCounters, readCounters } from './counters.ts';
import { countRelaxations, uncountRelaxations } from './relaxed-rules.ts';
import { storedPolicy, storedRelaxations, storedStripe, storedView } from './stored.ts';

const BATCH = 500;

export async function insertView(query: Query, view: SwarmView): Promise<number> {
  const facts = encodeSwarmView(view);
  const digest = createHash('sha256').update(facts).digest();
  await query
    .insertInto('swarm_view')
    .values({ digest, facts })
    .onConflict((c) => c.doNothing())
    .execute();
  const row = query.selectFrom('swarm_view').select('ref').where('digest', '=', digest);
  return (await row.executeTakeFirstOrThrow()).ref;
}

export async function readView(query: Query, ref: number): Promise<PeerView[] | null> {
  const row = await query.selectFrom('swarm_view').select('facts').where('ref', '=', ref).executeTakeFirst();
  return row ? storedView(row.facts) : null;
}

export async function recordPlacement(
  query: Query,
  partition: number,
  note: PlacementNote,
  now: number,
): Promise<void> {
  await refuseUnknownView(query, note.view);
  const policy = await textRef(query, 'placement_policy', policyText(note.policy));
  const relaxations = await relaxationsRef(query, note.relaxations);
  await query
    .insertInto('placement')
    .values({ partition, policy, placed_at: now, view: note.view, relaxations })
    .execute();
  await addToCounters(query, { placements_recorded: 1, placements_relaxed: relaxations === null ? 0 : 1 });
  await countRelaxations(query, { partition, at: now, before: [], added: note.relaxations });
}

/** Leaves placements without a record alone: nobody knows what they did not keep before. */
export async function recordMove(
  query: Query,
  move: { partition: number; shard: number; note: MoveNote; at: number },
): Promise<void> {
  const { partition, shard, note, at } = move;
  await refuseUnknownView(query, note.view);
  const row = await placementRow(query, partition);
  if (!row) return;
  const { view } = note;
  await query
    .insertInto('placement_move')
    .values({ partition, shard, view })
    .onConflict((c) => c.columns(['partition', 'shard']).doUpdateSet({ view }))
    .execute();
  const before = row.text === null ? [] : storedRelaxations(row.text);
  const relaxations = await relaxationsRef(query, merged(before, note.relaxations));
  await query.updateTable('placement').set({ relaxations }).where('partition', '=', partition).execute();
  if (before.length === 0 && relaxations !== null) await addToCounters(query, { placements_relaxed: 1 });
  await countRelaxations(query, { partition, at, before, added: note.relaxations });
}

/** The placement is not in force any more. */
export async function dropPlacement(query: Query, partition: number): Promise<void> {
  const row = await placementRow(query, partition);
  if (!row) return;
  await query.deleteFrom('placement_move').where('partition', '=', partition).execute();
  await query.deleteFrom('placement').where('partition', '=', partition).execute();
  await addToCounters(query, { placements_recorded: -1, placements_relaxed: row.text === null ? 0 : -1 });
  if (row.text !== null) await uncountRelaxations(query, storedRelaxations(row.text));
}

export async function readPlacements(
  query: Query,
  numbers: readonly number[],
): Promise<(StoredPlacement | null)[]> {
  const found = new Map<number, StoredPlacement>();
  for (let at = 0; at < numbers.length; at += BATCH) {
    await readBatch(query, numbers.slice(at, at + BATCH), found);
  }
  return numbers.map((number) => found.get(number) ?? null);
}

export async function readNewestPlacement(query: Query): Promise<PlacementRecord | null> {
  const row = await query
    .selectFrom('placement')
    .select('partition')
    .orderBy('partition', 'desc')
    .limit(1)
    .executeTakeFirst();
  const [placement] = row ? await readPlacements(query, [row.partition]) : [];
  return placement?.record ?? null;
}

async function readBatch(
  query: Query,
  numbers: readonly number[],
  into: Map<number, StoredPlacement>,
): Promise<void> {
  const partitions = await query
    .selectFrom('partition')
    .leftJoin('placement', 'placement.partition', 'number')
    .leftJoin('placement_policy', 'placement_policy.ref', 'policy')
    .leftJoin('relaxation_list', 'relaxation_list.ref', 'relaxations')
    .select(['number', 'state', 'stripe', 'placed_at', 'view', 'placement_policy.text as policy'])
    .select('relaxation_list.text as relaxations')
    .where('number', 'in', numbers)
    .where('state', '!=', PARTITION_STATE.abandoned)
    .execute();
  const holdings = Map.groupBy(
    await query
      .selectFrom('holding')
      .innerJoin('peer', 'ref', 'peer')
      .select(['partition', 'shard', 'key', 'since', 'current'])
      .where('partition', 'in', numbers)
      .orderBy('position')
      .execute(),
    (row) => row.partition,
  );
  const moves = Map.groupBy(
    await query
      .selectFrom('placement_move')
      .selectAll()
      .where('partition', 'in', numbers)
      .orderBy('shard')
      .execute(),
    (row) => row.partition,
  );
  for (const row of partitions) {
    const record: PlacementRecord | null =
      row.placed_at === null || row.view === null || row.policy === null
        ? null
        : {
            policy: storedPolicy(row.policy),
            placedAt: row.placed_at,
            view: row.view,
            relaxations: row.relaxations === null ? [] : storedRelaxations(row.relaxations),
            moves: (moves.get(row.number) ?? []).map(({ shard, view }) => ({ index: shard, view })),
          };
    into.set(row.number, {
      stripe: storedStripe(row.stripe),
      complete: row.state === PARTITION_STATE.complete,
      holdings: (holdings.get(row.number) ?? []).map(({ shard, key, since, current }) => {
        return { index: shard, peer: peerIdFromKey(key), since, past: current === 0 };
      }),
      record,
    });
  }
}

export async function findNumber(query: Query, id: PartitionId): Promise<number | null> {
  const row = await query
    .selectFrom('partition')
    .select('number')
    .where('id', '=', uuidToBytes(id))
    .executeTakeFirst();
  return row?.number ?? null;
}

export async function readPlacementTotals(query: Query): Promise<PlacementTotals> {
  const counters = await readCounters(query);
  const { journalled } = await query
    .selectFrom('journal')
    .select((e) => e.fn.countAll<number>().as('journalled'))
    .executeTakeFirstOrThrow();
  const rules = await query
    .selectFrom('relaxed_rule')
    .innerJoin('partition', 'number', 'partition')
    .select(['rule', 'placements', 'at', 'reason', 'partition.id'])
    .where('placements', '>', 0)
    .orderBy('rule')
    .execute();
  return {
    recorded: counters('placements_recorded'),
    unrecorded: counters('partitions') + journalled - counters('placements_recorded'),
    relaxed: counters('placements_relaxed'),
    rules: new Map(
      rules.map(({ rule, placements, at, reason, id }) => {
        const newest = { at, partition: bytesToUuid(id) as PartitionId, reason };
        return [rule, { placements, newest }];
      }),
    ),
  };
}

const placementRow = (query: Query, partition: number) =>
  query
    .selectFrom('placement')
    .leftJoin('relaxation_list', 'ref', 'relaxations')
    .select(['text'])
    .where('partition', '=', partition)
    .executeTakeFirst();

async function relaxationsRef(
  query: Query,
  relaxations: readonly RecordedRelaxation[],
): Promise<number | null> {
  if (relaxations.length === 0) return null;
  const text = JSON.stringify(relaxations.map(({ rule, reason }) => [rule, reason]));
  return textRef(query, 'relaxation_list', text);
}

/** Most placements share their rules and relaxations with many others: each different text is kept once. */
async function textRef(
  query: Query,
  table: 'placement_policy' | 'relaxation_list',
  text: string,
): Promise<number> {
  await query
    .insertInto(table)
    .values({ text })
    .onConflict((c) => c.doNothing())
    .execute();
  return (await query.selectFrom(table).select('ref').where('text', '=', text).executeTakeFirstOrThrow()).ref;
}

function policyText({ version, mode, settings }: RecordedPolicy): string {
  const sorted = Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ version, mode, settings: Object.fromEntries(sorted) });
}

/** A later relaxation of a rule says how far it is given up now; its place in the order stays. */
function merged(
  before: readonly RecordedRelaxation[],
  added: readonly RecordedRelaxation[],
): RecordedRelaxation[] {
  const byRule = new Map(before.map((relaxation) => [relaxation.rule, relaxation]));
  for (const relaxation of added) byRule.set(relaxation.rule, relaxation);
  return [...byRule.values()];
}

async function refuseUnknownView(query: Query, view: number): Promise<void> {
  const row = query.selectFrom('swarm_view').select('ref').where('ref', '=', view);
  if (!(await row.executeTakeFirst()))
    throw new HoldfastError('NOT_FOUND', `There is no swarm view ${view}.`);
}
