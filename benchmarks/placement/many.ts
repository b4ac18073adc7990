import { progress } from '../harness/progress.ts';
import { type Result, rounded } from '../harness/report.ts';
import { threadTime } from '../harness/thread-time.ts';
import { holdfast } from './holdfast.ts';
import type { Placer } from './scheme.ts';
import { type Case, paramsOf, SCHEMES } from './speed.ts';
import { partitionIds, swarm, totalWeight } from './swarm.ts';

const PIECE = 10_000;

/** All partitions, once each, by ours; and the memory that each scheme's preparations take. */
/** All partitions, once each, by ours; and the memory that each scheme's preparations take. */
export function manyResults(one: Case, partitions: number): Result[] {
  const peers = swarm(one.kind, one.peers);
  const unit = totalWeight(peers) / peers.length;
  progress(`${one.kind}, ${one.peers} peers: memory …`);
  const bytes = new Map(
    SCHEMES.map((scheme) => [scheme.name, bytesPerPeer(one, () => scheme.prepare(peers, one, unit))]),
  );
  const ours = bytes.get(holdfast.name)!;
  const others = SCHEMES.filter((scheme) => scheme !== holdfast).map(({ name }) => name);
  progress(`${one.kind}, ${one.peers} peers: ${partitions} partitions …`);
  const placer = holdfast.prepare(peers, one, unit);
  const before = memoryInUse();
  const seconds = placeAll(placer, partitions);
  const grown = memoryInUse() - before;
  const params = { ...paramsOf(one), partitions };
  const result = (name: string, value: number, unit: string, ratios: Result['ratios'] = {}): Result => {
    return { name, params, value: rounded(value), unit, ratios };
  };
  const ratios = Object.fromEntries(others.map((name) => [name, rounded(bytes.get(name)! / ours)]));
  return [
    result('all placements', partitions / seconds, 'per second'),
    result('memory, prepared', ours, 'bytes per peer', ratios),
    result('memory, more after all', grown / 1024, 'KiB'),
  ];
}

function placeAll(placer: Placer, partitions: number): number {
  let [nanoseconds, placed] = [0, 0];
  for (let from = 0; from < partitions; from += PIECE) {
    const ids = partitionIds(from, Math.min(PIECE, partitions - from));
    nanoseconds += threadTime(() => {
      for (const id of ids) placed += placer.place(id).length;
    });
  }
  if (placed < partitions) throw new Error('Some partitions were not placed.');
  return nanoseconds / 1e9;
}

/** So many peers' worth is made and kept, so that what else comes and goes does not count. */
const PEERS_HELD = 20_000;

function bytesPerPeer({ peers }: Case, make: () => unknown): number {
  const copies = Math.ceil(PEERS_HELD / peers);
  // What is compiled and cached at the first time does not belong to what is measured.
  hold(1, make);
  const before = memoryInUse();
  const held = hold(copies, make);
  return (memoryInUse() - before) / held.length / peers;
}

const hold = (copies: number, make: () => unknown): unknown[] => Array.from({ length: copies }, make);

function memoryInUse(): number {
  if (!globalThis.gc) throw new Error('Run with node --expose-gc, as npm run bench:placement does.');
  for (let i = 0; i < 3; i++) globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
