import type { PartitionId, PeerId } from '@holdfast/contracts';
import type { Candidate } from '../../candidate.ts';
import { stillCounts } from '../../holding.ts';
import type { Relaxation } from '../../placement-rules.ts';
import { isWithinLoad } from '../../rules/load.ts';
import { Ledger } from '../ledger.ts';
import type { PartitionState, UpkeepState } from '../state.ts';
import { StepWriter } from '../steps.ts';
import type { RebalanceSettings } from './bands.ts';
import { Fill } from './fill.ts';
import { isNoWorse, SoftStanding } from './soft-standing.ts';

export interface ShardAt {
  readonly partition: PartitionState;
  readonly index: number;
  readonly from: Candidate;
}

/** Too full a peer, a soft rule that can be kept again, or too uneven a distribution. */
export type MoveReason = 'load' | 'rule' | 'balance';

export interface RebalanceMove {
  readonly partition: PartitionId;
  readonly index: number;
  readonly from: PeerId;
  readonly to: PeerId;
  readonly bytes: number;
  readonly why: MoveReason;
  /** Those of the partition's placement after the move. */
  readonly relaxations: readonly Relaxation[];
}

/**
 * Makes moves, within the bound, that worsen no rule and never bring a shard back to a peer that it left less than T windows
 * ago; keeps account of what everybody has.
 */
export class Mover {
  readonly fill: Fill;
  readonly candidates: readonly Candidate[];
  readonly moves: RebalanceMove[] = [];
  readonly writer = new StepWriter();
  readonly limitBytes: number;
  movedBytes = 0;
  /** A move was found that the bound has no room for. */
  cutOff = false;
  /** A move has to wait for the room that planned moves make. */
  waitsForRoom = false;
  readonly #state: UpkeepState;
  readonly #ledger: Ledger;
  readonly #away: ReadonlySet<PeerId>;

  constructor(state: UpkeepState, settings: RebalanceSettings, salt: Uint8Array) {
    this.#state = state;
    this.#ledger = new Ledger(state, salt);
    this.#away = new Set(state.outages.map(({ peer }) => peer));
    this.fill = new Fill(state, settings);
    this.limitBytes = Math.min(settings.maxBytes, settings.maxShare * this.fill.totalBytes);
    this.candidates = state.candidates.map((id) => this.#ledger.facts(id)!);
  }

  /** Shards that can be copied from where they are, by peer. */
  shardsByPeer(): Map<PeerId, ShardAt[]> {
    const found = new Map<PeerId, ShardAt[]>();
    for (const partition of this.#state.partitions) {
      for (const shard of this.shardsOf(partition)) {
        const list = found.get(shard.from.id);
        if (list) list.push(shard);
        else found.set(shard.from.id, [shard]);
      }
    }
    return found;
  }

  shardsOf(partition: PartitionState): ShardAt[] {
    return this.#ledger.holders(partition.id).flatMap((peer, index) => {
      const from = peer === null || this.#away.has(peer) ? undefined : this.#ledger.facts(peer);
      return from ? [{ partition, index, from }] : [];
    });
  }

  standing(partition: PartitionState): SoftStanding {
    const holders = this.#ledger.holders(partition.id);
    const known = holders.flatMap((peer) => (peer === null ? [] : (this.#ledger.facts(peer) ?? [])));
    return new SoftStanding(known, this.#ledger.rules(partition));
  }

  /** Moves the shard to one of `among` if rules and bound allow. @returns whether it moved */
  move(shard: ShardAt, among: Iterable<Candidate>, why: MoveReason): boolean {
    if (this.cutOff) return false;
    const { partition, index, from } = shard;
    const targets = this.#admissible(shard, among);
    if (targets.size === 0) return false;
    const others = this.#state.candidates.filter((id) => !targets.has(id));
    const choice = this.#ledger.choose(partition, index, others);
    if ('refused' in choice) return false;
    const bytes = partition.shardBytes;
    if (this.movedBytes + bytes > this.limitBytes) {
      this.cutOff = true;
      return false;
    }
    const { to, relaxations } = choice.chosen;
    this.#ledger.enter(partition, index, to);
    this.writer.move({ partition, index }, from.id, to);
    this.moves.push({ partition: partition.id, index, from: from.id, to, bytes, why, relaxations });
    this.movedBytes += bytes;
    this.fill.move(from.id, to, bytes);
    return true;
  }

  #admissible({ partition, from }: ShardAt, among: Iterable<Candidate>): Set<PeerId> {
    const standing = this.standing(partition);
    const before = standing.breakage;
    const touched = this.#touched(partition);
    const targets = new Set<PeerId>();
    for (const target of among) {
      if (touched.has(target.id) || !isNoWorse(standing.with(from, target), before)) continue;
      if (this.#hasRoom(target.id, partition)) targets.add(target.id);
    }
    return targets;
  }

  /** Who has or had any shard of the partition: nothing of it goes there, not even what it had itself. */
  #touched(partition: PartitionState): Set<PeerId> {
    const rules = this.#ledger.rules(partition);
    const touched = new Set<PeerId>();
    for (const peer of this.#ledger.holders(partition.id)) if (peer !== null) touched.add(peer);
    for (const holding of this.#ledger.past(partition.id)) {
      if (stillCounts(holding, rules, this.#state.now)) touched.add(holding.peer);
    }
    return touched;
  }

  /** The load rule in full force, both while the moves are under way and after them. */
  #hasRoom(peer: PeerId, partition: PartitionState): boolean {
    const rules = this.#ledger.rules(partition);
    const limit = rules.off.includes('load') ? { maxLoad: 1, headroomShards: 1 } : rules;
    const under = this.#ledger.facts(peer)!;
    if (isWithinLoad(under, limit, partition.shardBytes)) return true;
    const after = { ...under, freeBytes: under.capacityBytes - this.fill.used(peer) };
    if (isWithinLoad(after, limit, partition.shardBytes)) this.waitsForRoom = true;
    return false;
  }
}
