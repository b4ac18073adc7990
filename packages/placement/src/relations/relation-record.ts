import { HoldfastError, type PartitionId, type PeerId } from '@holdfast/contracts';
import { Column } from './column.ts';
import { Dependencies } from './dependencies.ts';
import { HolderSlots } from './holder-slots.ts';
import { IdTable } from './id-table.ts';
import { OtherHolders, STILL } from './other-holders.ts';
import { checkPartition, checkPeer, checkWhole, invalid, type PartitionFacts } from './partition-facts.ts';
import { PeerNumbers } from './peer-numbers.ts';
import { SiblingGroups } from './sibling-groups.ts';

/**
 * Partitions, their shapes and dependencies, and who has or had each shard, in a few bytes a shard. It records facts, also
 * those that break a rule: to judge them is the verifier's. Whatever throws has changed nothing.
 */
export class RelationRecord {
  protected readonly ids = new IdTable();
  protected readonly numbers = new PeerNumbers();
  protected readonly slots = new HolderSlots();
  protected readonly others = new OtherHolders();
  protected readonly groups = new SiblingGroups();
  readonly #dependencies = new Dependencies();
  readonly #starts = Column.ofWords();
  readonly #k = Column.ofBytes();
  /** 0: known only because another partition refers to it, or as a link between siblings. */
  readonly #n = Column.ofBytes();
  readonly #copies = Column.ofBytes();
  #partitions = 0;
  #shards = 0;

  get partitions(): number {
    return this.#partitions;
  }

  /** Copies counted. */
  get shards(): number {
    return this.#shards;
  }

  /** Of all typed arrays. Beside them there are only the peers' ids, once each. */
  get bytes(): number {
    const columns = [this.#starts, this.#k, this.#n, this.#copies];
    const parts = [this.ids, this.slots, this.others, this.groups, this.#dependencies, ...columns];
    return parts.reduce((sum, part) => sum + part.bytes, 0);
  }

  has(partition: PartitionId): boolean {
    return this.n(this.ids.find(partition)) > 0;
  }

  /** USAGE for senseless facts, ALREADY_EXISTS for a partition that is there. What it depends on may come later. */
  add(facts: PartitionFacts): void {
    checkPartition(facts);
    const { id, k, n, copies = 1, dependencies = [], peers = [] } = facts;
    if (this.has(id)) throw new HoldfastError('ALREADY_EXISTS', `Partition ${id} is recorded already.`);
    const start = this.slots.allocate(n * copies);
    const number = this.#numberOf(id);
    this.#starts.set(number, start);
    this.#k.set(number, k);
    this.#n.set(number, n);
    this.#copies.set(number, copies);
    for (const [at, peer] of peers.entries()) if (peer) this.slots.set(start + at, this.numbers.of(peer));
    this.groups.arrive(number);
    for (const { kind, partition } of dependencies) {
      const target = this.#numberOf(partition);
      this.#dependencies.add(number, kind, target);
      if (kind === 'sibling-columns') this.groups.join(number, target);
    }
    this.#partitions += 1;
    this.#shards += n * copies;
  }

  /** The peer has the shard, or may have got it. Nothing happens if that is recorded already. */
  hold(partition: PartitionId, index: number, peer: PeerId): void {
    const number = this.shard(partition, index);
    checkPeer(partition, peer);
    const holder = this.numbers.of(peer);
    if (this.slotOf(number, index, holder) >= 0) return;
    const empty = this.slotOf(number, index, 0);
    if (empty < 0) {
      this.others.put(number, index, holder, STILL);
      return;
    }
    this.others.drop(number, this.others.find(number, index, holder));
    this.slots.set(empty, holder);
  }

  /**
   * The peer no longer has the shard, which counts against it for T windows more. It need not have been recorded before; if it
   * is a former holder already, the later time counts.
   * @param until wall clock, ms since 1970
   */
  markFormer(partition: PartitionId, index: number, peer: PeerId, until: number): void {
    const number = this.shard(partition, index);
    checkPeer(partition, peer);
    this.#leave(number, index, this.numbers.of(peer), secondsOf(partition, until));
  }

  /** From a present holder to another peer, which takes its place. USAGE if it has none, or the other one has it too. */
  move(partition: PartitionId, index: number, from: PeerId, to: PeerId, now: number): void {
    const number = this.shard(partition, index);
    checkPeer(partition, to);
    const seconds = secondsOf(partition, now);
    const [giver, taker] = [this.numbers.of(from), this.numbers.of(to)];
    if (!this.#isPresent(number, index, giver))
      throw invalid(partition, 'from', from, `a holder of shard ${index}`);
    if (this.#isPresent(number, index, taker)) {
      throw invalid(partition, 'to', to, `a peer without shard ${index}`);
    }
    this.#leave(number, index, giver, seconds);
    this.hold(partition, index, to);
  }

  /** Forgets its holders too. Others' references to it stay, and so do links between siblings that it made. */
  remove(partition: PartitionId): void {
    const number = this.partition(partition);
    const length = this.#n.get(number) * this.#copies.get(number);
    this.slots.release(this.#starts.get(number), length);
    this.others.dropUpTo(number, STILL);
    this.#n.set(number, 0);
    this.#partitions -= 1;
    this.#shards -= length;
    const targets = this.#dependencies.of(number).map(({ target }) => target);
    this.#dependencies.clear(number);
    for (const each of new Set([number, ...targets, ...this.groups.leave(number)])) this.#collect(each);
  }

  /**
   * Under new keys old shards are worthless, so that separation starts afresh: shape, dependencies and siblings stay, holders
   * are forgotten. `renamed` is the partition's id from now on, if it changes with the keys.
   */
  rekey(partition: PartitionId, renamed: PartitionId = partition): void {
    const number = this.partition(partition);
    const facts = {
      id: renamed,
      k: this.#k.get(number),
      n: this.n(number),
      copies: this.#copies.get(number),
      dependencies: this.dependenciesAt(number),
    };
    if (renamed === partition) {
      const [start, length] = [this.#starts.get(number), facts.n * facts.copies];
      for (let slot = start; slot < start + length; slot++) this.slots.set(slot, 0);
      this.others.dropUpTo(number, STILL);
      return;
    }
    this.add(facts);
    if (!this.groups.isAlone(number)) this.groups.join(number, this.ids.find(renamed));
    this.remove(partition);
  }

  /** Drops former holders that count no more before `now`: of use now and then, so that the record does not only grow. */
  protected forgetBefore(seconds: number): void {
    for (let number = 1; number <= this.ids.highest; number++) this.others.dropUpTo(number, seconds);
  }

  /** The partition's number. NOT_FOUND. */
  protected partition(id: PartitionId): number {
    const number = this.ids.find(id);
    if (this.n(number) > 0) return number;
    throw new HoldfastError('NOT_FOUND', `Partition ${id} is not in the relationship matrix.`, {
      details: { partition: id },
    });
  }

  /** The partition's number. NOT_FOUND, or USAGE for an index that it does not have. */
  protected shard(id: PartitionId, index: number): number {
    const number = this.partition(id);
    checkWhole(id, 'index', index, 0, this.n(number) - 1);
    return number;
  }

  protected k(number: number): number {
    return this.#k.get(number);
  }

  protected n(number: number): number {
    return this.#n.get(number);
  }

  /** Slot of the first copy of shard 0; the others follow, `n` for each copy. */
  protected start(number: number): number {
    return this.#starts.get(number);
  }

  protected slotsOf(number: number): number {
    return this.#n.get(number) * this.#copies.get(number);
  }

  /** The slot of that shard with that peer's number in it (0: an empty one), or −1. */
  protected slotOf(number: number, index: number, holder: number): number {
    const n = this.n(number);
    const end = this.start(number) + this.slotsOf(number);
    for (let slot = this.start(number) + index; slot < end; slot += n) {
      if (this.slots.get(slot) === holder) return slot;
    }
    return -1;
  }

  protected dependenciesAt(number: number): NonNullable<PartitionFacts['dependencies']> {
    return this.#dependencies
      .of(number)
      .reverse()
      .map(({ kind, target }) => ({ kind, partition: this.ids.idOf(target) }));
  }

  #isPresent(number: number, index: number, holder: number): boolean {
    if (this.slotOf(number, index, holder) >= 0) return true;
    const record = this.others.find(number, index, holder);
    return record !== 0 && this.others.until(record) === STILL;
  }

  #leave(number: number, index: number, holder: number, seconds: number): void {
    const present = this.#isPresent(number, index, holder);
    const slot = this.slotOf(number, index, holder);
    if (slot >= 0) this.slots.set(slot, 0);
    const record = this.others.find(number, index, holder);
    const before = present || record === 0 ? 0 : this.others.until(record);
    this.others.put(number, index, holder, Math.max(before, seconds));
  }

  #numberOf(id: PartitionId): number {
    return this.ids.find(id) || this.ids.add(id);
  }

  /** Gives the number back once nothing needs it any more. */
  #collect(number: number): void {
    if (this.n(number) > 0 || this.#dependencies.isReferredTo(number) || !this.groups.isAlone(number)) return;
    this.ids.remove(number);
  }
}

/** Up, so that nobody is let off early. */
function secondsOf(partition: PartitionId, ms: number): number {
  if (ms >= 0 && ms <= (STILL - 1) * 1000) return Math.ceil(ms / 1000);
  throw invalid(partition, 'until', ms, 'a time in ms between 1970 and 2106');
}
