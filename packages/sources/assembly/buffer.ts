// The buffer of tuples: whole rows from `head`, in the order of the table of lengths and hashes; behind them the row that is
// being read, from `row` to `fill`. A row that turns out too long for the table is a giant and leaves in pieces.
import { absorb, finish } from './hash';
import {
  BLOCK, KEY_HASHES, LENGTHS, MAX_ROW_BYTES, MAX_ROWS, ROW_HASHES, SAMPLE_KEY_MAX, SAMPLE_SLOT, SAMPLES, TUPLES,
} from './layout';

export let fields: i32 = 0;
export let keyFields: i32 = 0;
export let limit: usize = 0;
export let head: usize = TUPLES;
export let row: usize = TUPLES;
export let fill: usize = TUPLES;
/** Bytes before this address are final: of the present row all that can be told. */
export let ready: usize = TUPLES;
/** Where the present row's key ends; 0 while that is not known. */
export let keyEnd: usize = 0;
export let failure: i32 = 0;

let first: u32 = 0;
let count: u32 = 0;
/** Rows that have been read, and bytes before the present one. */
let rowsRead: f64 = 0;
let offset: f64 = 0;
let sampledAt: f64 = -1;
let sampleBytes: f64 = 0;
let samples: i32 = 0;

const NOT_GIANT = 0;
const GIANT = 1;
const GIANT_COMPLETE = 2;
let giant: i32 = NOT_GIANT;
/** Bytes of the giant that have left. */
let gone: u64 = 0;

export const BAD_HEADER = 1;
export const BAD_FLAGS = 2;
export const BAD_COUNT = 3;
export const BAD_LENGTH = 4;
export const BAD_MESSAGE = 5;
export const AFTER_END = 6;

export function begin(fieldCount: i32, keyCount: i32, capacity: usize, betweenSamples: f64): void {
  fields = fieldCount;
  keyFields = keyCount;
  limit = TUPLES + capacity;
  sampleBytes = betweenSamples;
}

export function setLimit(at: usize): void { limit = at; }
export function setFill(at: usize): void { fill = at; }
export function setReady(at: usize): void { ready = at; }
export function setKeyEnd(at: usize): void { keyEnd = at; }
export function fail(reason: i32): void { failure = reason; }

/** Whether the present row may go on: a complete giant has to leave first, and the table has to have room. */
// @ts-ignore: decorator
@inline
export function blocked(): bool {
  return giant == GIANT_COMPLETE || count == MAX_ROWS;
}

/** Writes down where the present row begins, if it is time. */
function sample(): void {
  if (keyFields == 0 || keyEnd == 0 || samples == 4) return;
  if (sampledAt >= 0 && offset - sampledAt < sampleBytes) return;
  const bytes = keyEnd - row;
  if (bytes > SAMPLE_KEY_MAX) return;
  const slot = SAMPLES + <usize>samples * SAMPLE_SLOT;
  store<f64>(slot, offset);
  store<f64>(slot, rowsRead, 8);
  store<u32>(slot, <u32>bytes, 16);
  memory.copy(slot + 20, row, bytes);
  // As a tuple of the key columns alone.
  store<u16>(slot + 20, bswap<u16>(<u16>keyFields));
  sampledAt = offset;
  samples++;
}

/** Call when the present row has grown and is not complete. */
// @ts-ignore: decorator
@inline
export function grown(): void {
  if (ready - row > MAX_ROW_BYTES && giant == NOT_GIANT) {
    giant = GIANT;
    sample();
  }
}

/** The present row ends at `ready`. */
export function complete(): void {
  const bytes = ready - row;
  if (giant != NOT_GIANT || bytes > MAX_ROW_BYTES) {
    grown();
    giant = GIANT_COMPLETE;
    return;
  }
  sample();
  store<u32>(LENGTHS + (<usize>count << 2), <u32>bytes);
  finish(row, bytes, bytes, ROW_HASHES + (<usize>count << 4));
  if (keyFields != 0) {
    const key = keyEnd - row - 2;
    finish(row + 2, key, key, KEY_HASHES + (<usize>count << 4));
  }
  count++;
  next(bytes);
}

function next(bytes: f64): void {
  rowsRead += 1;
  offset += bytes;
  row = ready;
  keyEnd = 0;
}

export function sampleCount(): i32 { return samples; }
export function clearSamples(): void { samples = 0; }

/** Rows at hand; `rowsBytes` says how long those that fit together are. */
export function firstRow(): u32 { return first; }
let fitting: usize = 0;
export function rowsFitting(room: usize): u32 {
  let at = first;
  fitting = 0;
  for (; at < count; at++) {
    const bytes = fitting + load<u32>(LENGTHS + (<usize>at << 2));
    if (bytes > room) break;
    fitting = bytes;
  }
  return at - first;
}
export function fittingBytes(): usize { return fitting; }

/** The rows that `rowsFitting` found have been taken. */
export function dropRows(rows: u32): void {
  first += rows;
  head += fitting;
  if (first != count) return;
  first = 0;
  count = 0;
  compact();
}

/** Moves the present row to the start; nothing is before it. */
function compact(): void {
  const by = row - TUPLES;
  if (by == 0) return;
  memory.copy(TUPLES, row, fill - row);
  head = TUPLES;
  row -= by;
  fill -= by;
  ready -= by;
  if (keyEnd != 0) keyEnd -= by;
}

/** A piece is given when it is worth it: at least this much of an incomplete giant is there. */
const PIECE: usize = 65_536;
let lastPiece: bool = false;

/** Bytes of the piece of a giant that fits; it begins at `row`. 0 when there is none, or whole rows come first. */
export function piece(room: usize): usize {
  lastPiece = false;
  if (giant == NOT_GIANT || first != count) return 0;
  const there = ready - row;
  if (giant == GIANT_COMPLETE && there <= room) {
    lastPiece = true;
    return there;
  }
  if (there <= PIECE) return 0;
  // Whole blocks. Bytes stay for the last piece: those that are to come, or do not fit.
  return min(room, there) & ~(BLOCK - 1);
}
export function pieceIsLast(): bool { return lastPiece; }

/** The piece has been taken. After the last one the giant's hash is in the table's first place. */
export function dropPiece(bytes: usize): void {
  if (!lastPiece) {
    absorb(row, bytes);
    gone += bytes;
    row += bytes;
    offset += <f64>bytes;
    // What is left of the key does not matter: a sample has been taken, or cannot be.
    keyEnd = 0;
    if (giant == GIANT) compact();
    return;
  }
  finish(row, bytes, gone + bytes, ROW_HASHES);
  gone = 0;
  giant = NOT_GIANT;
  next(<f64>bytes);
  compact();
}
