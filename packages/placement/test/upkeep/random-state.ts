import type { PeerId } from '@holdfast/contracts';
import { type Candidate, defaultSettings, type Holding, type PlacementSettings } from '@holdfast/placement';
import type { PartitionState, UpkeepState } from '@holdfast/placement/upkeep';
import { partitionId, peerId } from '../swarm.ts';

const MiB = 2 ** 20;
export const HOUR = 3_600_000;
export const NOW = 1_800_000_000_000;

/** Numbers from 0 to below 1 that depend on the seed alone (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class Dice {
  readonly next: () => number;

  constructor(seed: number) {
    this.next = randomFrom(seed);
  }

  whole(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  of<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)]!;
  }

  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items];
    for (let i = left.length - 1; i > 0; i--) {
      const j = this.whole(0, i);
      [left[i], left[j]] = [left[j]!, left[i]!];
    }
    return left;
  }
}

export interface Mix {
  readonly peers: number;
  readonly partitions: number;
  readonly operators: number;
  readonly regions: number;
  /** Share of peers that are full, distrusted, slow or lossy. */
  readonly bad: number;
  readonly separateSiblings?: boolean;
  readonly settings?: Partial<PlacementSettings>;
}

/** From a few peers of few operators in one region to many of all kinds, and hostile ones among them. */
export function randomMix(dice: Dice, most = 200): Mix {
  const peers = dice.chance(0.5) ? dice.whole(3, Math.min(16, most)) : dice.whole(3, most);
  return {
    peers,
    partitions: dice.whole(1, 12),
    operators: dice.chance(0.3) ? dice.whole(1, 4) : dice.whole(1, peers),
    regions: dice.chance(0.4) ? dice.whole(1, 3) : dice.whole(1, 20),
    bad: dice.of([0, 0.1, 0.5]),
    separateSiblings: dice.chance(0.3),
  };
}

function randomPeer(n: number, dice: Dice, mix: Mix): Candidate {
  const capacityBytes = Math.round((20 * MiB) / (dice.next() + 0.02) ** 1.2);
  const bad = dice.chance(mix.bad);
  const free = bad && dice.chance(0.4) ? 0 : Math.floor(capacityBytes * (0.2 + 0.8 * dice.next()));
  const region = dice.whole(0, mix.regions - 1);
  return {
    id: peerId(n),
    operator: `o${dice.whole(0, mix.operators - 1)}`,
    region: `c${region % 4}/r${region}/s${dice.whole(0, 2)}`,
    failureDomains: dice.chance(0.3) ? [`d${dice.whole(0, 5)}`, `e${dice.whole(0, 30)}`] : undefined,
    freeBytes: free,
    capacityBytes,
    latencyMs: dice.chance(0.5) ? dice.whole(5, bad ? 400 : 110) : undefined,
    packetLoss: dice.chance(0.5) ? dice.next() * (bad ? 0.3 : 0.04) : undefined,
    reputation: dice.chance(0.5) ? (bad ? dice.next() : 0.75 + dice.next() / 4) : undefined,
    stability: dice.chance(0.5) ? 0.5 + dice.next() / 2 : undefined,
  };
}

/** Whether the peer may get the shard beside what is known already; restated here from the rules' definitions. */
function mayHave(
  peer: Candidate,
  index: number,
  known: readonly Holding[],
  facts: ReadonlyMap<PeerId, Candidate>,
  { maxPerOperator, maxPerFailureDomain }: PlacementSettings,
  k: number,
): boolean {
  if (known.some((one) => one.peer === peer.id && one.index !== index)) return false;
  const within = (shares: (other: Candidate) => boolean, limit: number): boolean => {
    const indices = new Set([index]);
    for (const one of known) {
      const other = facts.get(one.peer);
      if (!other || shares(other)) indices.add(one.index);
    }
    return indices.size <= Math.min(limit, k - 1);
  };
  if (!within(({ operator }) => operator === peer.operator, maxPerOperator)) return false;
  return (peer.failureDomains ?? []).every((domain) =>
    within((other) => other.failureDomains?.includes(domain) ?? false, maxPerFailureDomain),
  );
}

/** A partition placed at random within the hard rules, with a history; null: no luck. */
function randomPartition(
  n: number,
  dice: Dice,
  peers: readonly Candidate[],
  settings: PlacementSettings,
): PartitionState | null {
  const k = dice.whole(2, Math.max(2, Math.min(6, peers.length - 2)));
  const m = dice.whole(1, Math.max(1, Math.min(4, peers.length - k)));
  const facts = new Map(peers.map((peer) => [peer.id, peer]));
  const known: Holding[] = [];
  const past: Holding[] = [];
  const holders: (PeerId | null)[] = [];
  if (dice.chance(0.05)) past.push({ index: 0, peer: peerId(99_999) });
  known.push(...past);
  for (let index = 0; index < k + m; index++) {
    const fits = peers.filter((peer) => mayHave(peer, index, known, facts, settings, k));
    if (fits.length === 0) return null;
    const peer = dice.of(fits).id;
    holders.push(dice.chance(0.02) ? null : peer);
    known.push({ index, peer });
    if (holders[index] === null) past.push({ index, peer });
    if (!dice.chance(0.15)) continue;
    const former = dice.of(fits).id;
    const until = dice.of([undefined, NOW - HOUR, NOW - 29 * 24 * HOUR, NOW - 31 * 24 * HOUR]);
    if (!mayHave(facts.get(former)!, index, known, facts, settings, k)) continue;
    past.push({ index, peer: former, until });
    known.push({ index, peer: former, until });
  }
  return {
    id: partitionId(n),
    k,
    m,
    shardBytes: dice.of([MiB, MiB, 64 * 1024, 256 * 1024]),
    helpers: m > 1 && dice.chance(0.4) ? k + m - 1 : 0,
    holders,
    past,
    hashes: holders.map((_, index) => `hash ${n}.${index}`),
    ...(dice.chance(0.3) ? { siblingGroup: `rows ${Math.floor(n / 2)}` } : {}),
  };
}

export function randomState(dice: Dice, mix: Mix): UpkeepState {
  const peers = Array.from({ length: mix.peers }, (_, n) => randomPeer(n, dice, mix));
  const settings: PlacementSettings = {
    ...defaultSettings(dice.whole(2, 5)),
    separateSiblings: mix.separateSiblings ?? false,
    ...mix.settings,
  };
  const partitions = Array.from({ length: mix.partitions }, (_, n) =>
    randomPartition(n, dice, peers, settings),
  ).filter((partition) => partition !== null);
  const candidates = peers.map(({ id }) => id).filter(() => !dice.chance(0.05));
  return { partitions, peers, candidates, outages: [], settings, now: NOW };
}

/** The same with these peers not answering. */
export function withOutages(state: UpkeepState, outages: UpkeepState['outages']): UpkeepState {
  const away = new Set(outages.map(({ peer }) => peer));
  return { ...state, outages, candidates: state.candidates.filter((id) => !away.has(id)) };
}
