import type { Draw } from '../draw.ts';

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

export function oddList(draw: Draw, list: readonly number[], k: number): number[] {
  const copy = [...list];
  const at = draw.between(0, Math.max(0, copy.length - 1));
  switch (draw.byte() % 6) {
    case 0:
      copy[at] = oddNumber(draw, copy[at] ?? k);
      return copy;
    case 1:
      return [...copy, copy[at] ?? 0];
    case 2:
      return [...copy, draw.between(0, 300)];
    case 3:
      return copy.slice(0, at);
    case 4:
      // As many as before, and all in range, as far as can be told here.
      copy[at] = draw.between(0, Math.max(0, ...copy.filter(Number.isInteger)));
      return copy;
    default:
      // An index that is a hole of the list.
      copy[copy.length + 1] = 0;
      return copy;
  }
}
