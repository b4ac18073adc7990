// Lines of COPY's text format to tuples. A field's length stands before it, so that its bytes are final only at its end.
import { AFTER_END, BAD_COUNT, blocked, complete, fail, failure, fields, fill, grown, keyFields, limit, ready, row, setFill, setKeyEnd, setReady } from './buffer';

export let textEnded: bool = false;
let inRow: bool = false;
/** Of the present field: its number, and bytes before it that belong to the row. */
let field: i32 = 0;
/** A field that began with \N or \. : null or the end marker if nothing follows. */
let mark: u8 = 0;
/** What was left unfinished: nothing, a backslash, octal digits, \x and its digits. */
const PLAIN = 0;
const BACKSLASH = 1;
const OCTAL = 2;
const HEX = 3;
let state: i32 = PLAIN;
let digits: i32 = 0;
let value: u32 = 0;

const TAB: u8 = 9;
const NEWLINE: u8 = 10;
const SLASH: u8 = 92;

export function insideLine(): bool { return inRow; }

// `ready` is where the present field's length will stand, and its bytes begin four behind that.
// @ts-ignore: decorator
@inline
function start(): usize { return ready + 4; }

/** Bytes that one byte of input may need at most: a count, and a length. */
const ROOM: usize = 8;

/** Takes bytes of text; says how many. Fewer than all when the buffer or the table is full, or on failure. */
export function readText(from: usize, bytes: usize): usize {
  const end = from + bytes;
  let at = from;
  while (at < end && failure == 0) {
    if (textEnded) { fail(AFTER_END); break; }
    if (limit - fill < ROOM) break;
    if (!inRow) {
      if (blocked()) break;
      beginRow();
    }
    if (state != PLAIN) {
      if (escaped(load<u8>(at))) at++;
      continue;
    }
    at = copyPlain(at, end);
    if (at == end || limit - fill < ROOM) continue;
    const byte = load<u8>(at++);
    if (byte == TAB) endField();
    else if (byte == NEWLINE) endRow();
    else state = BACKSLASH;
  }
  return at - from;
}

function beginRow(): void {
  store<u16>(row, bswap<u16>(<u16>fields));
  setReady(row + 2);
  setFill(row + 6);
  field = 0;
  mark = 0;
  inRow = true;
}

/** Up to the next byte that means something, or the end of bytes or room. */
function copyPlain(from: usize, end: usize): usize {
  const to = fill;
  const stop = from + min(end - from, limit - to);
  let at = from;
  const by = to - from;
  while (at < stop) {
    // Up to 15 bytes too many are read and written; both sides have slack.
    const bytes = v128.load(at);
    v128.store(at + by, bytes);
    const special = i8x16.bitmask(v128.or(
      v128.or(i8x16.eq(bytes, i8x16.splat(TAB)), i8x16.eq(bytes, i8x16.splat(NEWLINE))),
      i8x16.eq(bytes, i8x16.splat(SLASH)),
    ));
    if (special != 0) {
      at += ctz(special);
      break;
    }
    at += 16;
  }
  if (at > stop) at = stop;
  setFill(at + by);
  return at;
}

function put(byte: u32): void {
  store<u8>(fill, <u8>byte);
  setFill(fill + 1);
}

/** Inside an escape. Whether the byte belongs to it. */
function escaped(byte: u8): bool {
  if (state == BACKSLASH) {
    afterBackslash(byte);
    return true;
  }
  const digit = state == OCTAL ? octal(byte) : hex(byte);
  if (digit < 0 || digits == (state == OCTAL ? 3 : 2)) {
    // \x without digits is an x.
    put(state == HEX && digits == 0 ? 0x78 : value);
    state = PLAIN;
    return false;
  }
  value = (state == OCTAL ? value << 3 : value << 4) + digit;
  digits++;
  return true;
}

function octal(byte: u8): i32 { return byte >= 48 && byte < 56 ? <i32>byte - 48 : -1; }
function hex(byte: u8): i32 {
  if (byte >= 48 && byte < 58) return <i32>byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower < 103 ? <i32>lower - 87 : -1;
}

function afterBackslash(byte: u8): void {
  state = PLAIN;
  if (fill == start() && (byte == 78 || (byte == 46 && field == 0))) mark = byte; // N, .
  if (octal(byte) >= 0) {
    state = OCTAL;
    value = octal(byte);
    digits = 1;
  } else if (byte == 0x78) {
    state = HEX;
    value = 0;
    digits = 0;
  } else {
    put(plain(byte));
  }
}

function plain(byte: u8): u32 {
  switch (byte) {
    case 98: return 8; // b
    case 116: return 9; // t
    case 110: return 10; // n
    case 118: return 11; // v
    case 102: return 12; // f
    case 114: return 13; // r
    default: return byte;
  }
}

// @ts-ignore: decorator
@inline
function marked(byte: u8): bool { return mark == byte && fill == start() + 1; }

function closeField(): void {
  if (marked(78)) {
    setFill(start());
    store<u32>(ready, 0xffff_ffff);
  } else {
    store<u32>(ready, bswap<u32>(<u32>(fill - start())));
  }
  mark = 0;
  field++;
  setReady(fill);
  if (field == keyFields) setKeyEnd(fill);
}

function endField(): void {
  closeField();
  if (field >= fields) return fail(BAD_COUNT);
  setFill(fill + 4);
  grown();
}

function endRow(): void {
  inRow = false;
  if (field == 0 && marked(46)) {
    textEnded = true;
    setReady(row);
    setFill(row);
    return;
  }
  if (fields == 0) {
    // A line of a table without columns is empty.
    if (fill != start()) return fail(BAD_COUNT);
    setFill(ready);
    return complete();
  }
  closeField();
  if (field != fields) return fail(BAD_COUNT);
  complete();
}
