import { HoldfastError, type PartitionDependency, type PartitionId, type PeerId } from '@holdfast/contracts';
import { type Holding, separationMs, stillCounts } from '../holding.ts';
import type { PlacementRules } from '../placement-rules.ts';
import { type ShardPosition, type ShardRole, shardRole } from './complementary.ts';
import { STILL } from './other-holders.ts';
import { RelationRecord } from './relation-record.ts';

export type ShardRelation = 'same' | 'complementary' | 'independent';

/** Which of the placement rules say what is complementary, and for how long. */
export type SeparationRules = Pick<PlacementRules, 'separateSiblings' | 'separationWindows' | 'windowHours'>;

/**
 * The document's shard relationship matrix, as a function of what is recorded: no pair of shards is ever stored. Questions
 * about a partition that is not there end with NOT_FOUND, about an index that it does not have with USAGE.
 */
export class RelationshipMatrix extends RelationRecord {
  readonly #rules: SeparationRules;

  constructor(rules: SeparationRules) {
    super();
    const span = separationMs(rules);
    if (!(span > 0 && span < Number.POSITIVE_INFINITY)) {
      const { separationWindows, windowHours } = rules;
      const message = `${separationWindows} windows of ${windowHours} hours are no time to keep shards apart.`;
      throw new HoldfastError('USAGE', message, { details: { separationWindows, windowHours } });
    }
    this.#rules = rules;
  }

  role({ partition, index }: ShardPosition): ShardRole {
    return shardRole(index, this.k(this.shard(partition, index)));
  }

  relation(a: ShardPosition, b: ShardPosition): ShardRelation {
    const [numberA, numberB] = [this.shard(a.partition, a.index), this.shard(b.partition, b.index)];
    if (numberA === numberB) return a.index === b.index ? 'same' : 'complementary';
    const siblings = this.#rules.separateSiblings && this.groups.root(numberA) === this.groups.root(numberB);
    return siblings ? 'complementary' : 'independent';
  }

  /** By index, then the siblings' if they are to be kept apart. */
  complementsOf({ partition, index }: ShardPosition): ShardPosition[] {
    const number = this.shard(partition, index);
    const own = this.#positions(number, partition).filter((other) => other.index !== index);
    return [...own, ...this.#siblingPositions(number)];
  }

  /** The document's `identify_complementary_shards`: index → all shards that complement that one. */
  identifyComplementaryShards(partition: PartitionId): Map<number, ShardPosition[]> {
    const number = this.partition(partition);
    const own = this.#positions(number, partition);
    const siblings = this.#siblingPositions(number);
    return new Map(
      own.map(({ index }) => [index, [...own.filter((other) => other.index !== index), ...siblings]]),
    );
  }

  /** Partitions of the same rows, itself aside, whatever the rules say of them. */
  siblingsOf(partition: PartitionId): PartitionId[] {
    return this.#siblings(this.partition(partition)).map((number) => this.ids.idOf(number));
  }

  /** As they were recorded. */
  dependenciesOf(partition: PartitionId): readonly PartitionDependency[] {
    return this.dependenciesAt(this.partition(partition));
  }

  /**
   * Peers that may not get the shard: they have, or had within T windows of `now`, another shard of the partition, or any of
   * a sibling's if siblings are to be kept apart.
   * @param now wall clock, ms
   */
  barred(partition: PartitionId, index: number, now: number): Set<PeerId> {
    const number = this.shard(partition, index);
    checkNow(now);
    const barred = new Set<PeerId>();
    const bar = (holdings: readonly Holding[]) => {
      for (const holding of holdings) if (stillCounts(holding, this.#rules, now)) barred.add(holding.peer);
    };
    bar(this.#holdings(number).filter((holding) => holding.index !== index));
    if (this.#rules.separateSiblings) {
      for (const sibling of this.#siblings(number)) bar(this.#holdings(sibling));
    }
    return barred;
  }

  /** Present holders, then former ones, also those that count no more. Times are rounded up to whole seconds. */
  holdings(partition: PartitionId): Holding[] {
    return this.#holdings(this.partition(partition));
  }

  /** The same of all its siblings: what the assignment takes as `siblings`. */
  siblingHoldings(partition: PartitionId): Holding[] {
    return this.#siblings(this.partition(partition)).flatMap((number) => this.#holdings(number));
  }

  /**
   * The different shards, ascending, that some peers have, or had within T windows of `now`, between them: what counts
   * against an operator or a failure domain.
   */
  indicesHeldBy(partition: PartitionId, isOne: (peer: PeerId) => boolean, now: number): number[] {
    checkNow(now);
    const counting = this.holdings(partition).filter(
      (holding) => isOne(holding.peer) && stillCounts(holding, this.#rules, now),
    );
    return [...new Set(counting.map(({ index }) => index))].sort((a, b) => a - b);
  }

  /** Drops what counts no more at `now`: worth a pass over all partitions once in a while. */
  forgetExpired(now: number): void {
    checkNow(now);
    const seconds = Math.floor((now - separationMs(this.#rules)) / 1000);
    if (seconds >= 0) this.forgetBefore(Math.min(seconds, STILL - 1));
  }

  #siblings(number: number): number[] {
    return [...this.groups.members(number)].filter((other) => other !== number && this.n(other) > 0);
  }

  #positions(number: number, partition: PartitionId): ShardPosition[] {
    return Array.from({ length: this.n(number) }, (_, index) => ({ partition, index }));
  }

  #siblingPositions(number: number): ShardPosition[] {
    if (!this.#rules.separateSiblings) return [];
    return this.#siblings(number).flatMap((sibling) => this.#positions(sibling, this.ids.idOf(sibling)));
  }

  #holdings(number: number): Holding[] {
    const [n, start, length] = [this.n(number), this.start(number), this.slotsOf(number)];
    const found: Holding[] = [];
    for (let slot = 0; slot < length; slot++) {
      const holder = this.slots.get(start + slot);
      if (holder > 0) found.push({ index: slot % n, peer: this.numbers.peer(holder) });
    }
    const { others } = this;
    for (let record = others.first(number); record !== 0; record = others.next(record)) {
      const [index, peer] = [others.index(record), this.numbers.peer(others.peer(record))];
      const until = others.until(record);
      found.push(until === STILL ? { index, peer } : { index, peer, until: until * 1000 });
    }
    return found;
  }
}

/** Not a number would compare as false everywhere, and bar nobody. */
function checkNow(now: number): void {
  if (!Number.isFinite(now)) throw new HoldfastError('USAGE', `The time is ${now}.`, { details: { now } });
}
