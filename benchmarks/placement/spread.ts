import type { PeerId } from '@holdfast/contracts';
import { progress } from '../harness/progress.ts';
import { type Result, rounded } from '../harness/report.ts';
import { fairShares } from './fair-share.ts';
import { holdfast } from './holdfast.ts';
import type { Scheme } from './scheme.ts';
import { type Case, paramsOf } from './speed.ts';
import {
  averagePeer,
  type BenchPeer,
  newcomer,
  partitionIds,
  type SwarmKind,
  swarm,
  totalWeight,
} from './swarm.ts';

/** One peer joins, as large as the mean; one such leaves; the weight of one such doubles. */
const EVENTS = ['join', 'leave', 'doubling'] as const;

/** Of one scheme. */
interface Spread {
  /** The most that any peer has, relative to what it should have. */
  readonly most: number;
  /** Standard deviation of load relative to what it should be, over all peers. */
  readonly deviation: number;
  /** Shards that move at each event, relative to those that must. */
  readonly moved: readonly number[];
}

/** How evenly load follows weight, and how much moves when the swarm changes, for the same partitions by every scheme. */
export function spreadResults(one: Case, partitions: number, schemes: readonly Scheme[]): Result[] {
  const spreads = new Map<string, Spread>();
  for (const scheme of schemes) {
    progress(`${one.kind}, ${one.peers} peers: ${partitions} partitions by ${scheme.name}, four times …`);
    spreads.set(scheme.name, spreadOf(scheme, one, partitions));
  }
  const figure = (name: string, of: (spread: Spread) => number, unit: string, scale = 1): Result => {
    const ours = of(spreads.get(holdfast.name)!);
    const others = schemes.filter((scheme) => scheme !== holdfast);
    return {
      name,
      params: { ...paramsOf(one), partitions },
      value: rounded(ours * scale),
      unit,
      ratios: Object.fromEntries(
        others.map((other) => [other.name, rounded(of(spreads.get(other.name)!) / ours)]),
      ),
    };
  };
  return [
    figure('imbalance, fullest', ({ most }) => most, 'of fair load'),
    figure('imbalance, deviation', ({ deviation }) => deviation, '%', 100),
    ...EVENTS.map((event, i) => figure(`moved, ${event}`, ({ moved }) => moved[i]!, 'of optimum')),
  ];
}

function spreadOf(scheme: Scheme, one: Case, partitions: number): Spread {
  const peers = swarm(one.kind, one.peers);
  const before = new Placements(scheme, peers, one, partitions);
  const shares = fairShares(peers, one.k + one.m);
  const loads = peers.map(({ id }, i) => before.load(id) / (shares[i]! * partitions));
  const mean = loads.reduce((sum, load) => sum + load, 0) / loads.length;
  const moved = EVENTS.map((event) => {
    const after = afterwards(event, one.kind, peers);
    const optimum = partitions * mustMove(peers, after, one.k + one.m);
    return before.movedWith(after) / optimum;
  });
  return {
    most: Math.max(...loads),
    deviation: Math.sqrt(loads.reduce((sum, load) => sum + (load - mean) ** 2, 0) / loads.length),
    moved,
  };
}

export function afterwards(
  event: (typeof EVENTS)[number],
  kind: SwarmKind,
  peers: readonly BenchPeer[],
): BenchPeer[] {
  if (event === 'join') return [...peers, newcomer(kind, peers)];
  const average = averagePeer(peers);
  if (event === 'leave') return peers.filter((peer) => peer !== average);
  const freeBytes = 2 * average.freeBytes;
  return peers.map((peer) => (peer === average ? { ...peer, freeBytes, capacityBytes: freeBytes } : peer));
}

/** Shards a partition that cannot stay, if load follows weight before and after: what peers gain, which others lose. */
export function mustMove(before: readonly BenchPeer[], after: readonly BenchPeer[], need: number): number {
  const sharesBefore = fairShares(before, need);
  const had = new Map(before.map(({ id }, i) => [id, sharesBefore[i]!]));
  const sharesAfter = fairShares(after, need);
  return after.reduce((sum, { id }, i) => sum + Math.max(0, sharesAfter[i]! - (had.get(id) ?? 0)), 0);
}

/** Who has the partitions of one scheme. */
class Placements {
  readonly #scheme: Scheme;
  readonly #one: Case;
  readonly #partitions: number;
  readonly #unit: number;
  readonly #numbers: ReadonlyMap<PeerId, number>;
  readonly #loads: Float64Array;
  /** A row of k + m peers for each partition. */
  readonly #table: Int32Array;

  constructor(scheme: Scheme, peers: readonly BenchPeer[], one: Case, partitions: number) {
    this.#scheme = scheme;
    this.#one = one;
    this.#partitions = partitions;
    this.#unit = totalWeight(peers) / peers.length;
    this.#numbers = new Map(peers.map(({ id }, i) => [id, i]));
    this.#loads = new Float64Array(peers.length);
    this.#table = new Int32Array(partitions * (one.k + one.m));
    this.#placed(peers, (peer, at) => {
      const number = this.#numbers.get(peer)!;
      this.#table[at] = number;
      this.#loads[number]! += 1;
    });
  }

  load(peer: PeerId): number {
    return this.#loads[this.#numbers.get(peer)!]!;
  }

  /**
   * Shards that go to another peer when the swarm is this one: of each partition, the peers that had none of it. Which of its
   * shards a peer has is left aside, in favour of schemes that say nothing about it; ours keeps it by records.
   */
  movedWith(peers: readonly BenchPeer[]): number {
    const need = this.#one.k + this.#one.m;
    let moved = 0;
    this.#placed(peers, (peer, at) => {
      const from = at - (at % need);
      const number = this.#numbers.get(peer) ?? NO_PEER;
      if (!this.#table.subarray(from, from + need).includes(number)) moved += 1;
    });
    return moved;
  }

  #placed(peers: readonly BenchPeer[], each: (peer: PeerId, at: number) => void): void {
    const placer = this.#scheme.prepare(peers, this.#one, this.#unit);
    let at = 0;
    for (let from = 0; from < this.#partitions; from += PIECE) {
      for (const id of partitionIds(from, Math.min(PIECE, this.#partitions - from))) {
        for (const peer of placer.place(id)) each(peer, at++);
      }
    }
    if (at !== this.#table.length) throw new Error(`${this.#scheme.name} placed ${at} shards.`);
  }
}

const PIECE = 10_000;
const NO_PEER = -1;
