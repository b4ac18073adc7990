import { isWhole } from './whole.ts';

/** A Clay code by docs/specs/clay.md. Nothing here is the package's. */
export interface ClayCode {
  readonly k: number;
  readonly m: number;
  readonly helpers: number;
}

export const BLOCK = 65_536;
const POWERS_OF_TWO = [2, 4, 8, 16, 32, 64, 128];

interface Grid {
  readonly rows: number;
  readonly positions: number;
  readonly layers: number;
}

/** q, N and q^t. */
export function gridOf({ k, m, helpers }: ClayCode): Grid {
  const rows = helpers - k + 1;
  const columns = Math.ceil((k + m) / rows);
  return { rows, positions: rows * columns, layers: rows ** columns };
}

export function isClayCode(code: ClayCode): boolean {
  const { k, m, helpers } = code;
  if (!isWhole(k, 1, 255) || !isWhole(m, 0, 255 - k) || !isWhole(helpers, k + 1, k + m - 1)) return false;
  const { rows, positions, layers } = gridOf(code);
  return POWERS_OF_TWO.includes(rows) && m % rows === 0 && positions <= 255 && layers <= 1024;
}

const positionIn = (code: ClayCode, shard: number): number =>
  shard < code.k ? shard : gridOf(code).positions - code.m + shard - code.k;

/** The other stored shards of the lost one's column. */
export function matesOf(code: ClayCode, lost: number): number[] {
  const { rows } = gridOf(code);
  const columnOf = (shard: number): number => Math.floor(positionIn(code, shard) / rows);
  return Array.from({ length: code.k + code.m }, (_, shard) => shard).filter(
    (shard) => shard !== lost && columnOf(shard) === columnOf(lost),
  );
}

/** What a helper sends. */
export function partOf(code: ClayCode, lost: number): { offset: number; length: number; period: number } {
  const { rows, layers } = gridOf(code);
  const position = positionIn(code, lost);
  const length = rows ** Math.floor(position / rows) * (BLOCK / layers);
  return { offset: (position % rows) * length, length, period: rows * length };
}
