import type { Draw } from '../draw.ts';
import { BLOCK, type ClayCode } from './clay-code.ts';
import { anyCode, clayCode, helpersFor, nearCode, smallCode } from './clay-draw.ts';
import { oddList, oddNumber } from './odd.ts';

/** What an arena is asked for. Values may be anything, whatever their types say. */
export interface KernelRequest extends Shape {
  readonly call: 'encode' | 'verify' | 'reconstruct' | 'updateParity' | 'repair' | 'shard';
  readonly present: readonly number[];
  readonly wanted: readonly number[];
  readonly index: number;
  readonly lost: number;
  readonly from: readonly number[];
}

/** `helpers` is 0 with plain Reed–Solomon. */
export interface Shape extends ClayCode {
  readonly bytes: number;
}

export interface ArenaFacts {
  readonly shards: number;
  readonly shardBytes: number;
  readonly scratchBytes: number;
  readonly clay?: ClayCode | undefined;
}

export interface Drawn {
  readonly request: KernelRequest;
  readonly arena: ArenaFacts;
}

const PLAIN_CALLS = ['encode', 'verify', 'reconstruct', 'updateParity', 'shard'] as const;
const CLAY_CALLS = ['encode', 'verify', 'reconstruct', 'updateParity', 'repair', 'repair'] as const;
const LINE = 64;

/** Mostly small; now and then up to the limit, in several blocks, or large enough to be swept. */
function plainShape(draw: Draw): Shape {
  if (draw.chance(20)) {
    const k = draw.between(1, 255);
    return { k, m: draw.between(0, 255 - k), bytes: LINE * draw.between(1, 10), helpers: 0 };
  }
  const k = draw.between(1, 12);
  const m = draw.between(0, 10);
  return { k, m, bytes: plainBytes(draw, k), helpers: 0 };
}

function plainBytes(draw: Draw, k: number): number {
  if (draw.chance(4)) return 393_216 + LINE * draw.between(0, 3);
  if (draw.chance(20)) return Math.floor(131_072 / k / LINE) * LINE + LINE * draw.between(0, 3);
  return LINE * draw.between(1, 9);
}

/** A good request for plain Reed–Solomon and an arena for it, with room to spare or none, seldom for a Clay code too. */
export function drawRequest(draw: Draw): Drawn {
  const shape = plainShape(draw);
  const arena = arenaFor(draw, shape);
  return {
    request: requestOf(draw, shape),
    arena: draw.chance(12) ? { ...arena, clay: smallCode(draw) } : arena,
  };
}

/** A request for a Clay code, sometimes for almost one, and an arena made for it, for another one or for none. */
export function drawClayRequest(draw: Draw): Drawn {
  const code = clayCode(draw);
  const shape = { ...(draw.chance(16) ? nearCode(draw) : code), bytes: clayBytes(draw) };
  const arena = arenaFor(draw, shape);
  const request = requestOf(draw, shape);
  if (draw.chance(200)) return { request, arena: { ...arena, clay: code } };
  // What tables take depends on the slots too: with many, other measures decide whether there is room.
  const shards = draw.chance(100) ? draw.between(arena.shards, 80) : arena.shards;
  const other = draw.chance(100) ? anyCode(draw) : smallCode(draw);
  return { request, arena: { ...arena, shards, clay: draw.chance(60) ? undefined : other } };
}

/** Some blocks; now and then a part of one more. */
function clayBytes(draw: Draw): number {
  const bytes = BLOCK * (draw.chance(50) ? draw.between(2, 3) : 1);
  return draw.chance(8) ? bytes + LINE * draw.between(1 - BLOCK / LINE, BLOCK / LINE) : bytes;
}

/** Some call for a shape, with good arguments. */
export function requestOf(draw: Draw, shape: Shape): KernelRequest {
  const { k, m, helpers } = shape;
  const call = helpers === 0 ? draw.pick(PLAIN_CALLS) : draw.pick(CLAY_CALLS);
  const order = draw.subset(k + m, k + m);
  const present = order.slice(0, draw.between(k, k + m));
  const left = order.slice(present.length);
  const wanted = left.slice(0, draw.between(0, left.length));
  const lost = draw.between(0, k + m - 1);
  const from = helpers === 0 ? [] : helpersFor(draw, shape, lost);
  return { ...shape, call, present, wanted, index: draw.between(0, k - 1), lost, from };
}

const arenaFor = (draw: Draw, { k, m, bytes }: Shape): ArenaFacts => ({
  shards: Math.min(255, k + m + draw.between(0, 2)),
  shardBytes: bytes + LINE * draw.between(0, 2),
  scratchBytes: draw.chance(200) ? bytes + draw.between(0, 100) : draw.pick([0, 1, bytes - 1]),
});

type Field = Exclude<keyof KernelRequest, 'call'>;
const FIELDS: readonly Field[] = ['k', 'm', 'bytes', 'helpers', 'index', 'lost', 'present', 'wanted', 'from'];
/** What a call takes beside the shape. */
const OWN_FIELDS: Readonly<Partial<Record<KernelRequest['call'], readonly Field[]>>> = {
  reconstruct: ['present', 'wanted'],
  updateParity: ['index'],
  repair: ['lost', 'from', 'from'],
  shard: ['index', 'bytes'],
};

/** One or two values of it are exchanged for odd ones; seldom it becomes another call. */
export function spoil(draw: Draw, request: KernelRequest): KernelRequest {
  let spoilt = draw.chance(20) ? { ...request, call: draw.pick(CLAY_CALLS) } : request;
  for (let times = draw.between(1, 2); times > 0; times--) {
    const field = draw.pick(draw.chance(128) ? (OWN_FIELDS[spoilt.call] ?? FIELDS) : FIELDS);
    spoilt =
      field === 'present' || field === 'wanted' || field === 'from'
        ? { ...spoilt, [field]: oddList(draw, spoilt[field], spoilt.k) }
        : { ...spoilt, [field]: oddNumber(draw, spoilt[field]) };
  }
  return spoilt;
}
