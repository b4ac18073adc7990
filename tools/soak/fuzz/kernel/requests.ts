import type { Draw } from '../draw.ts';

/** What an arena is asked for. Values may be anything, whatever their types say. */
export interface KernelRequest {
  readonly call: 'encode' | 'verify' | 'reconstruct' | 'updateParity' | 'shard';
  readonly k: number;
  readonly m: number;
  readonly bytes: number;
  readonly present: readonly number[];
  readonly wanted: readonly number[];
  readonly index: number;
}

export interface ArenaFacts {
  readonly shards: number;
  readonly shardBytes: number;
  readonly scratchBytes: number;
}

const CALLS = ['encode', 'verify', 'reconstruct', 'updateParity', 'shard'] as const;
const LINE = 64;

/** Mostly small; now and then up to the limit, in several blocks, or large enough to be swept. */
function shapeOf(draw: Draw): { k: number; m: number; bytes: number } {
  if (draw.chance(20)) {
    const k = draw.between(1, 255);
    return { k, m: draw.between(0, 255 - k), bytes: LINE * draw.between(1, 10) };
  }
  const k = draw.between(1, 12);
  const m = draw.between(0, 10);
  if (draw.chance(4)) return { k: 5 + k, m, bytes: 393_216 + LINE * draw.between(0, 3) };
  if (draw.chance(20))
    return { k, m, bytes: Math.floor(131_072 / k / LINE) * LINE + LINE * draw.between(0, 3) };
  return { k, m, bytes: LINE * draw.between(1, 9) };
}

/** A good request and an arena for it, with room to spare or none. */
export function drawRequest(draw: Draw): { request: KernelRequest; arena: ArenaFacts } {
  const call = draw.pick(CALLS);
  const { k, m, bytes } = shapeOf(draw);
  const order = draw.subset(k + m, k + m);
  const present = order.slice(0, draw.between(k, k + m));
  const left = order.slice(present.length);
  const wanted = left.slice(0, draw.between(0, left.length));
  return {
    request: { call, k, m, bytes, present, wanted, index: draw.between(0, k - 1) },
    arena: {
      shards: Math.min(255, k + m + draw.between(0, 2)),
      shardBytes: bytes + LINE * draw.between(0, 2),
      scratchBytes: draw.chance(200) ? bytes + draw.between(0, 100) : draw.pick([0, 1, bytes - 1]),
    },
  };
}

const strange = (value: unknown): number => value as number;
const ODD: readonly ((good: number) => number)[] = [
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => Number.NEGATIVE_INFINITY,
  () => -0,
  () => 0,
  () => -1,
  () => 2 ** 31,
  () => 2 ** 32 - 1,
  () => 2 ** 53,
  () => 1e308,
  () => 255,
  () => 256,
  (good) => good + 1,
  (good) => good - 1,
  (good) => good + 0.5,
  (good) => -good,
  (good) => good + 2 ** 32,
  (good) => good - 2 ** 32,
  (good) => good + 64,
  (good) => good * 2,
  (good) => strange(String(good)),
  (good) => strange(BigInt(Number.isFinite(good) ? Math.trunc(good) : 0)),
  (good) => strange([good]),
  (good) => strange({ valueOf: () => good }),
  () => strange(undefined),
  () => strange(null),
  () => strange(true),
];

/** Of one that is odd already, as much as is left to count with. */
export const oddNumber = (draw: Draw, good: number): number =>
  draw.pick(ODD)(typeof good === 'number' ? good : draw.byte());

/** One or two values of it are exchanged for odd ones. */
export function spoil(draw: Draw, request: KernelRequest): KernelRequest {
  let spoilt = request;
  for (let times = draw.between(1, 2); times > 0; times--) {
    const field = draw.pick(['k', 'm', 'bytes', 'index', 'present', 'wanted'] as const);
    spoilt =
      field === 'present' || field === 'wanted'
        ? { ...spoilt, [field]: spoilList(draw, spoilt[field], spoilt.k) }
        : { ...spoilt, [field]: oddNumber(draw, spoilt[field]) };
  }
  return spoilt;
}

function spoilList(draw: Draw, list: readonly number[], k: number): number[] {
  const copy = [...list];
  const at = draw.between(0, Math.max(0, copy.length - 1));
  switch (draw.byte() % 5) {
    case 0:
      copy[at] = oddNumber(draw, copy[at] ?? k);
      return copy;
    case 1:
      return [...copy, copy[at] ?? 0];
    case 2:
      return [...copy, draw.between(0, 300)];
    case 3:
      return copy.slice(0, at);
    default:
      // An index that is a hole of the list.
      copy[copy.length + 1] = 0;
      return copy;
  }
}
