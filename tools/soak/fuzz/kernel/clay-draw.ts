import type { Draw } from '../draw.ts';
import { type ClayCode, gridOf, isClayCode, matesOf } from './clay-code.ts';

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** All that there are: more than 64 shards would need more than 1 024 layers. */
const CODES: readonly ClayCode[] = range(1, 64).flatMap((k) =>
  range(2, 65 - k).flatMap((m) =>
    [2, 4, 8, 16, 32].map((rows) => ({ k, m, helpers: k + rows - 1 })).filter(isClayCode),
  ),
);
/** Some milliseconds a request; the others take up to a hundred times that. */
const SMALL = CODES.filter((code) => gridOf(code).positions <= 12 && gridOf(code).layers <= 256);

const anyOf = <T>(draw: Draw, items: readonly T[]): T => items[draw.between(0, items.length - 1)]!;

export const smallCode = (draw: Draw): ClayCode => anyOf(draw, SMALL);
/** Of any of them, the widest too. */
export const anyCode = (draw: Draw): ClayCode => anyOf(draw, CODES);
/** Mostly a small one. */
export const clayCode = (draw: Draw): ClayCode => (draw.chance(20) ? anyCode(draw) : smallCode(draw));

/** Numbers as a code might have them, though mostly there is none: no power of two, no whole columns, too many layers. */
export function nearCode(draw: Draw): ClayCode {
  const k = draw.between(1, 24);
  const m = draw.between(0, 16);
  return { k, m, helpers: k + draw.between(0, m + 1) - 1 };
}

/** Who helps, in an order of its own; now and then without regard to the lost shard's column. */
export function helpersFor(draw: Draw, code: ClayCode, lost: number): number[] {
  const others = draw.subset(code.k + code.m, code.k + code.m).filter((shard) => shard !== lost);
  const mates = draw.chance(25) ? [] : matesOf(code, lost);
  const chosen = [...mates, ...others.filter((shard) => !mates.includes(shard))].slice(0, code.helpers);
  return others.filter((shard) => chosen.includes(shard));
}
