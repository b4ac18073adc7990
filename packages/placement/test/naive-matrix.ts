import type { ErrorCode, PartitionDependency, PartitionId, PeerId } from '@holdfast/contracts';
import type { PartitionFacts, SeparationRules, ShardPosition } from '@holdfast/placement/relations';

interface Known {
  readonly facts: PartitionFacts;
  /** By `index peer`: until when, in ms; null: still. */
  readonly holders: Map<string, number | null>;
}

/** A relationship matrix as one would write it first: maps of objects, everything looked up by walking through all. */
export class NaiveMatrix {
  readonly known = new Map<PartitionId, Known>();
  readonly rules: SeparationRules;
  links: (readonly [PartitionId, PartitionId])[] = [];

  constructor(rules: SeparationRules) {
    this.rules = rules;
  }

  add(facts: PartitionFacts): ErrorCode | null {
    const { id, n, copies = 1, peers = [], dependencies = [] } = facts;
    const held = peers.flatMap((peer, at) => (peer === null ? [] : [`${at % n} ${peer}`]));
    if (new Set(held).size < held.length || dependencies.some(({ partition }) => partition === id))
      return 'USAGE';
    if (new Set(dependencies.map(({ kind, partition }) => kind + partition)).size < dependencies.length)
      return 'USAGE';
    if (peers.length > n * copies) return 'USAGE';
    if (this.known.has(id)) return 'ALREADY_EXISTS';
    this.known.set(id, { facts, holders: new Map(held.map((key) => [key, null])) });
    for (const { kind, partition } of dependencies) {
      if (kind === 'sibling-columns') this.links.push([id, partition]);
    }
    return null;
  }

  hold(id: PartitionId, index: number, peer: PeerId): ErrorCode | null {
    const wrong = this.#wrong(id, index);
    if (!wrong) this.known.get(id)!.holders.set(`${index} ${peer}`, null);
    return wrong;
  }

  markFormer(id: PartitionId, index: number, peer: PeerId, until: number): ErrorCode | null {
    const wrong = this.#wrong(id, index);
    if (wrong) return wrong;
    const { holders } = this.known.get(id)!;
    const rounded = Math.ceil(until / 1000) * 1000;
    holders.set(`${index} ${peer}`, Math.max(rounded, holders.get(`${index} ${peer}`) ?? 0));
    return null;
  }

  move(id: PartitionId, index: number, from: PeerId, to: PeerId, now: number): ErrorCode | null {
    const wrong = this.#wrong(id, index);
    if (wrong) return wrong;
    const { holders } = this.known.get(id)!;
    if (holders.get(`${index} ${from}`) !== null || holders.get(`${index} ${to}`) === null) return 'USAGE';
    this.markFormer(id, index, from, now);
    return this.hold(id, index, to);
  }

  remove(id: PartitionId): ErrorCode | null {
    if (!this.known.has(id)) return 'NOT_FOUND';
    const group = this.group(id);
    this.known.delete(id);
    if (![...group].some((member) => this.known.has(member))) {
      this.links = this.links.filter(([a]) => !group.has(a));
    }
    return null;
  }

  rekey(id: PartitionId, renamed: PartitionId): ErrorCode | null {
    const old = this.known.get(id);
    if (!old) return 'NOT_FOUND';
    if (id === renamed) {
      old.holders.clear();
      return null;
    }
    const siblings = this.group(id).size > 1;
    const wrong = this.add({ ...old.facts, id: renamed, peers: [] });
    if (wrong) return wrong;
    if (siblings) this.links.push([renamed, id]);
    return this.remove(id);
  }

  forgetExpired(now: number): void {
    for (const { holders } of this.known.values()) {
      for (const [key, until] of holders) if (!this.#counts(until, now)) holders.delete(key);
    }
  }

  /** Whoever is linked with it, present or not, and itself. */
  group(id: PartitionId): Set<PartitionId> {
    const group = new Set([id]);
    for (let before = 0; before < group.size; ) {
      before = group.size;
      for (const [a, b] of this.links) {
        if (group.has(a)) group.add(b);
        else if (group.has(b)) group.add(a);
      }
    }
    return group;
  }

  siblings(id: PartitionId): PartitionId[] {
    return [...this.group(id)].filter((other) => other !== id && this.known.has(other)).sort();
  }

  relation(a: ShardPosition, b: ShardPosition): string {
    if (a.partition === b.partition) return a.index === b.index ? 'same' : 'complementary';
    const siblings = this.rules.separateSiblings && this.group(a.partition).has(b.partition);
    return siblings ? 'complementary' : 'independent';
  }

  dependencies(id: PartitionId): readonly PartitionDependency[] {
    return this.known.get(id)!.facts.dependencies ?? [];
  }

  holdings(id: PartitionId): { index: number; peer: PeerId; until: number | null }[] {
    return [...this.known.get(id)!.holders].map(([key, until]) => {
      const [index, peer] = key.split(' ');
      return { index: Number(index), peer: peer as PeerId, until };
    });
  }

  barred(id: PartitionId, index: number, now: number): PeerId[] {
    const own = this.holdings(id).filter((holding) => holding.index !== index);
    const others = this.rules.separateSiblings
      ? this.siblings(id).flatMap((other) => this.holdings(other))
      : [];
    const counting = [...own, ...others].filter(({ until }) => this.#counts(until, now));
    return [...new Set(counting.map(({ peer }) => peer))].sort();
  }

  indices(id: PartitionId, peers: readonly PeerId[], now: number): number[] {
    const counting = this.holdings(id).filter(
      ({ peer, until }) => peers.includes(peer) && this.#counts(until, now),
    );
    return [...new Set(counting.map(({ index }) => index))].sort((a, b) => a - b);
  }

  #counts(until: number | null, now: number): boolean {
    return until === null || now < until + this.rules.separationWindows * this.rules.windowHours * 3_600_000;
  }

  #wrong(id: PartitionId, index: number): ErrorCode | null {
    const known = this.known.get(id);
    if (!known) return 'NOT_FOUND';
    return index < known.facts.n ? null : 'USAGE';
  }
}
