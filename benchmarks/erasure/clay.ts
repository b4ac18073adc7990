import {
  type ClayShape,
  repairHelpers,
  repairRange,
  StripeArena,
  supportedVariants,
} from '@holdfast/erasure';
import { alternate, type Contender, medianRatio, mibPerSecond, type Rounds } from '../harness/alternation.ts';
import { fillNoise } from '../harness/noise.ts';
import { progress } from '../harness/progress.ts';
import { median, type Result, rounded } from '../harness/report.ts';
import { mostLost } from './coder.ts';

const SHAPES: readonly ClayShape[] = [
  { k: 4, m: 2, helpers: 5 },
  { k: 10, m: 4, helpers: 11 },
  { k: 10, m: 4, helpers: 13 },
  { k: 16, m: 8, helpers: 23 },
];
const SHARD_BYTES = [64 * 1024, 1024 * 1024];
/** In the middle: neither the column with the longest runs nor the one with the shortest. */
const lostOf = ({ k }: ClayShape): number => Math.floor(k / 2);

/** The Clay code beside the plain one, both by our fastest kernel: what repair costs in bytes, and all of it in time. */
export async function clayResults(_: unknown, options: Rounds): Promise<Result[]> {
  const results: Result[] = [];
  for (const shape of SHAPES) {
    for (const bytes of SHARD_BYTES) {
      progress(`Clay code ${shape.k}+${shape.m}, ${shape.helpers} helpers, ${bytes / 1024} KiB …`);
      results.push(...(await shapeResults(shape, bytes, options)));
    }
  }
  return results;
}

async function shapeResults(shape: ClayShape, bytes: number, options: Rounds): Promise<Result[]> {
  const { k, m, helpers } = shape;
  const arena = StripeArena.create({ shards: k + m, shardBytes: bytes, clay: shape });
  const params = { k, m, helpers, shardKiB: bytes / 1024, variant: supportedVariants()[0]! };
  const traffic = repairTraffic(arena, shape, bytes);
  const results: Result[] = [
    {
      name: 'repair-traffic',
      params,
      value: rounded((100 * traffic) / (k * bytes)),
      unit: '% of k shards',
      ratios: { 'plain-rs': rounded((k * bytes) / traffic) },
    },
  ];
  for (const [name, made, clay, plain] of contenders(arena, shape, bytes)) {
    const times = await alternate([timed('clay', clay), timed('plain-rs', plain)], options);
    const [ours, theirs] = [times.get('clay')!, times.get('plain-rs')!];
    results.push({
      name,
      params,
      value: rounded(mibPerSecond(made * bytes, median(ours))),
      unit: 'MiB/s',
      ratios: { 'plain-rs': rounded(medianRatio(ours, theirs)) },
    });
  }
  return results;
}

/** What both codes do, and how many shards' bytes a result in MiB/s counts: the data, or the one shard made. */
function contenders(
  arena: StripeArena,
  { k, m, helpers }: ClayShape,
  bytes: number,
): readonly (readonly [name: string, made: number, clay: () => void, plain: () => void])[] {
  const plain = { k, m, bytes };
  const shape = { ...plain, helpers };
  const all = Array.from({ length: k + m }, (_, index) => index);
  const most = mostLost(plain);
  const lost = lostOf(shape);
  const rebuild = { present: all.filter((index) => !most.includes(index)), wanted: most };
  const one = { present: all.filter((index) => index !== lost), wanted: [lost] };
  const from = repairHelpers(shape, lost, one.present)!;
  return [
    ['clay-encode', k, () => arena.encode(shape), () => arena.encode(plain)],
    [
      'clay-rebuild',
      k,
      () => arena.reconstruct({ ...shape, ...rebuild }),
      () => arena.reconstruct({ ...plain, ...rebuild }),
    ],
    [
      'clay-repair',
      1,
      () => arena.repair({ ...shape, lost, from }),
      () => arena.reconstruct({ ...plain, ...one }),
    ],
  ];
}

/**
 * Bytes of other shards that make a lost one, the most for any of them, as counted: each is repaired with nothing but
 * these bytes at hand. Fails unless all come out as they were.
 */
function repairTraffic(arena: StripeArena, shape: ClayShape, bytes: number): number {
  const { k, m } = shape;
  const all = Array.from({ length: k + m }, (_, index) => index);
  for (let i = 0; i < k; i++) fillNoise(arena.shard(i), i);
  arena.encode({ ...shape, bytes });
  const before = all.map((index) => Buffer.from(arena.shard(index)));
  const traffic = all.map((lost) => {
    const from = repairHelpers(
      shape,
      lost,
      all.filter((index) => index !== lost),
    )!;
    const { offset, length, period } = repairRange(shape, lost);
    for (const index of all) arena.shard(index).fill(0);
    let read = 0;
    for (const index of from) {
      for (let at = offset; at < bytes; at += period, read += length)
        arena.shard(index).set(before[index]!.subarray(at, at + length), at);
    }
    arena.repair({ ...shape, bytes, lost, from });
    if (!before[lost]!.equals(arena.shard(lost))) throw new Error(`Shard ${lost} was not repaired.`);
    return read;
  });
  for (const index of all) arena.shard(index).set(before[index]!);
  return Math.max(...traffic);
}

const timed = (name: string, once: () => void): Contender => ({
  name,
  run: async (times) => {
    const start = process.hrtime.bigint();
    for (let i = 0; i < times; i++) once();
    return Number(process.hrtime.bigint() - start);
  },
});
