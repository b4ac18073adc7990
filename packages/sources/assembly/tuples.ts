// Finds where tuples end in what has been put into the buffer: docs/specs/rows.md, "Tuples".
import { AFTER_END, BAD_COUNT, BAD_LENGTH, blocked, complete, fail, failure, fields, fill, grown, keyFields, ready, row, setFill, setKeyEnd, setReady } from './buffer';

/** Whether −1 instead of a count ends everything, as in COPY's binary format. */
let trailer: bool = false;
export let ended: bool = false;
/** Fields of the present row that are not yet over; −1 before its count. */
let left: i32 = -1;
/** Bytes of the present field that are still to come. */
let skip: usize = 0;

export function expectTrailer(): void { trailer = true; }

function count(at: usize): bool {
  const found = bswap<u16>(load<u16>(at));
  if (trailer && found == 0xffff) {
    if (at + 2 != fill) fail(AFTER_END);
    ended = true;
    setFill(at);
    return false;
  }
  if (<i32>found != fields) {
    fail(BAD_COUNT);
    return false;
  }
  left = fields;
  return true;
}

/** Goes on from `ready`, as far as bytes and the table allow. */
export function scan(): void {
  while (failure == 0 && !ended && !blocked()) {
    if (left < 0) {
      if (fill - ready < 2 || !count(ready)) return;
      setReady(ready + 2);
    }
    if (!walk()) return grown();
    left = -1;
    complete();
  }
}

/** Over the present row's fields. False when it does not end here. */
function walk(): bool {
  const end = fill;
  let at = ready;
  while (true) {
    if (skip != 0) {
      const step = min(skip, end - at);
      at += step;
      skip -= step;
      if (skip != 0) break;
      if (fields - --left == keyFields) setKeyEnd(at);
    }
    while (left > 0) {
      if (end - at < 4) { setReady(at); return false; }
      const bytes = <i32>bswap<u32>(load<u32>(at));
      at += 4;
      if (bytes > 0) {
        if (<usize>bytes > end - at) { skip = bytes; break; }
        at += bytes;
      } else if (bytes < -1) {
        fail(BAD_LENGTH);
        setReady(at - 4);
        return false;
      }
      if (fields - --left == keyFields) setKeyEnd(at);
    }
    if (left == 0) { setReady(at); return true; }
  }
  setReady(at);
  return false;
}
