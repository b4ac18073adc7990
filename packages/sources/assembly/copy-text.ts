// Tuples of text fields to lines of COPY's text format. The importer puts tuples, cut anywhere, into the window and calls
// `write`; at most twice as many bytes and a few more come out.

export const WINDOW: usize = 1024;
export const TEXT: usize = 131_072;

export const BAD_COUNT = 1;
export const BAD_LENGTH = 2;
export let failure: i32 = 0;

let fields: i32 = 0;
/** Fields of the present tuple that are not yet over; −1 before its count. */
let left: i32 = -1;
/** Bytes of the present field that are still to come. */
let skip: usize = 0;
/** A number that came in parts. */
let word: u32 = 0;
let wordBytes: i32 = 0;
let to: usize = TEXT;

export function open(fieldCount: i32): void {
  fields = fieldCount;
  failure = 0;
  left = -1;
  skip = 0;
  word = 0;
  wordBytes = 0;
}

export function inside(): bool {
  return left >= 0 || wordBytes != 0;
}

/** Bytes of text that those of the window give. */
export function write(bytes: usize): usize {
  const end = WINDOW + bytes;
  let at = WINDOW;
  to = TEXT;
  while (at < end) {
    if (skip != 0) {
      const run = min(skip, end - at);
      escape(at, run);
      at += run;
      skip -= run;
      if (skip == 0) over();
      continue;
    }
    word = (word << 8) | load<u8>(at++);
    wordBytes++;
    if (left < 0 ? wordBytes == 2 : wordBytes == 4) number();
    if (failure != 0) break;
  }
  return to - TEXT;
}

function number(): void {
  const value = word;
  word = 0;
  wordBytes = 0;
  if (left < 0) {
    if (<i32>value != fields) failure = BAD_COUNT;
    left = fields;
    if (left == 0) put(10);
  } else if (value == 0xffff_ffff) {
    put(92);
    put(78);
    over();
  } else if (value > 0x7fff_ffff) {
    failure = BAD_LENGTH;
  } else if (value == 0) {
    over();
  } else {
    skip = value;
  }
  if (left == 0) left = -1;
}

/** A field is. */
function over(): void {
  left--;
  put(left == 0 ? 10 : 9);
  if (left == 0) left = -1;
}

// @ts-ignore: decorator
@inline
function put(byte: u8): void {
  store<u8>(to++, byte);
}

/** Backspace, tab, newline, vertical tab, form feed and carriage return follow each other; the backslash is alone. */
function escape(from: usize, bytes: usize): void {
  const end = from + bytes;
  let at = from;
  while (at < end) {
    const text = v128.load(at);
    v128.store(to, text);
    const special = i8x16.bitmask(v128.or(
      i8x16.le_u(i8x16.sub(text, i8x16.splat(8)), i8x16.splat(5)),
      i8x16.eq(text, i8x16.splat(92)),
    ));
    const run = min<usize>(special == 0 ? 16 : ctz(special), end - at);
    at += run;
    to += run;
    if (special == 0 || at >= end) continue;
    put(92);
    put(letter(load<u8>(at++)));
  }
}

function letter(byte: u8): u8 {
  switch (byte) {
    case 8: return 98; // b
    case 9: return 116; // t
    case 10: return 110; // n
    case 11: return 118; // v
    case 12: return 102; // f
    case 13: return 114; // r
    default: return byte;
  }
}
