import { KiB, MAX_STRIPE_SHARDS } from '@holdfast/contracts';
import { checkCount, isCount, refuse } from '../parameters.ts';

/**
 * Shards are coded block by block, so that what belongs together lies together and in the near caches. Fixed for ever:
 * stored shards depend on it.
 */
export const CLAY_BLOCK_BYTES = 64 * KiB;
/** Cells are a multiple of a cache line. */
const MAX_LAYERS = CLAY_BLOCK_BYTES / 64;

export interface ClayShape {
  readonly k: number;
  readonly m: number;
  /** d: how many shards take part in rebuilding one, k + 1 … k + m − 1. */
  readonly helpers: number;
}

/**
 * Shards as points of a grid, q rows by t columns, and each block of a shard as q^t cells, one a layer (Vajha et al.,
 * "Clay Codes", FAST '18, §2). Positions count up row by row within a column: primaries first, then as many *virtual* shards,
 * all zeros and never stored, as fill the grid, then parity, which fills whole columns.
 */
export interface ClayGeometry extends ClayShape {
  /** q = helpers − k + 1: each helper sends a q-th of its shard. */
  readonly rows: number;
  /** t */
  readonly columns: number;
  /** α = q^t: a layer's number has one digit to the base q for each column, the first column's being the lowest. */
  readonly layers: number;
  /** q·t, virtual shards included. */
  readonly positions: number;
  /** Where parity begins: all positions before it are data. */
  readonly parityFrom: number;
  readonly cellBytes: number;
}

/** CODE_PARAMETERS for a shape that there is no such code for. */
export function clayGeometry({ k, m, helpers }: ClayShape): ClayGeometry {
  checkCount(k, m);
  const explain = `a Clay code of ${k} + ${m} shards`;
  if (!isCount(helpers, k + 1, k + m - 1)) {
    refuse(`${helpers} helpers: ${explain} has ${k + 1} to ${k + m - 1}.`, { k, m, helpers });
  }
  const rows = helpers - k + 1;
  if ((rows & (rows - 1)) !== 0 || m % rows !== 0) {
    refuse(
      `${helpers} helpers: ${explain} needs helpers − k + 1 to be a power of two that divides m; it is ${rows}.`,
      { k, m, helpers },
    );
  }
  const columns = Math.ceil((k + m) / rows);
  const layers = rows ** columns;
  const positions = rows * columns;
  if (layers > MAX_LAYERS || positions > MAX_STRIPE_SHARDS) {
    refuse(
      `${helpers} helpers: ${explain} would cut shards into ${layers} layers; ${MAX_LAYERS} is the most.`,
      {
        k,
        m,
        helpers,
      },
    );
  }
  const cellBytes = CLAY_BLOCK_BYTES / layers;
  return { k, m, helpers, rows, columns, layers, positions, parityFrom: positions - m, cellBytes };
}

export const positionOf = ({ k, parityFrom }: ClayGeometry, shard: number): number =>
  shard < k ? shard : parityFrom + shard - k;

/** Null for a virtual shard. */
export function shardAt({ k, parityFrom }: ClayGeometry, position: number): number | null {
  if (position < k) return position;
  return position < parityFrom ? null : k + position - parityFrom;
}

/** They are between primaries and parity. */
export const virtualPositions = ({ k, parityFrom }: ClayGeometry): number[] =>
  Array.from({ length: parityFrom - k }, (_, at) => k + at);

export const columnOf = ({ rows }: ClayGeometry, position: number): number => Math.floor(position / rows);
export const rowOf = ({ rows }: ClayGeometry, position: number): number => position % rows;

/** The digit of a layer's number that belongs to a column. */
export const digit = ({ rows }: ClayGeometry, layer: number, column: number): number =>
  Math.floor(layer / rows ** column) % rows;
