// Bytes of a PostgreSQL backend, or tuples, to hashed tuples. The importer puts bytes into the window and calls `feed`.
import { AFTER_END, BAD_FLAGS, BAD_HEADER, BAD_MESSAGE, begin, blocked, fail, failure, fill, limit, ready, row, setFill } from './buffer';
import { WINDOW } from './layout';
import { readText, insideLine, textEnded } from './text-rows';
import { ended, expectTrailer, scan } from './tuples';

export { clearSamples, dropPiece, dropRows, failure, firstRow, fittingBytes, head, piece, pieceIsLast, row, rowsFitting, sampleCount, setLimit } from './buffer';

const BINARY = 0;
const TEXT = 1;
const TUPLES_ALONE = 2;
let format: i32 = BINARY;

/** Of the present message: bytes of its header that have come, and of its payload that are to come. */
let headerBytes: i32 = 0;
let payload: u32 = 0;
/** The next message is none of CopyData. */
export let other: bool = false;

/** Bytes of the binary format's header that have come, and of its extension area that are to come. */
let preamble: u32 = 0;
let extension: u32 = 0;
const PREAMBLE: u32 = 19;

export function open(kind: i32, fields: i32, keyFields: i32, capacity: usize, betweenSamples: f64): void {
  format = kind;
  begin(fields, keyFields, capacity, betweenSamples);
  if (kind == BINARY) expectTrailer();
}

/** Takes bytes of the window; says how many. */
export function feed(bytes: usize): usize {
  other = false;
  if (format == TUPLES_ALONE) return append(WINDOW, bytes);
  const end = WINDOW + bytes;
  let at = WINDOW;
  while (at < end && failure == 0) {
    if (payload == 0) {
      const byte = load<u8>(at);
      if (headerBytes == 0 && byte != 100) { other = true; break; } // d
      message(byte);
      at++;
      continue;
    }
    const run = min<usize>(payload, end - at);
    const taken = content(at, run);
    at += taken;
    payload -= <u32>taken;
    if (taken != run) break;
  }
  return at - WINDOW;
}

let messageLength: u32 = 0;
function message(byte: u8): void {
  if (headerBytes > 0) messageLength = (messageLength << 8) | byte;
  if (++headerBytes < 5) return;
  headerBytes = 0;
  if (messageLength < 4 || messageLength > 0x7fff_ffff) return fail(BAD_MESSAGE);
  payload = messageLength - 4;
}

function content(at: usize, bytes: usize): usize {
  if (format == TEXT) return readText(at, bytes);
  let taken: usize = 0;
  while (preamble < PREAMBLE && taken < bytes && failure == 0) head19(load<u8>(at + taken++));
  if (extension != 0) {
    const step = min<usize>(extension, bytes - taken);
    extension -= <u32>step;
    taken += step;
  }
  if (taken == bytes || failure != 0) return taken;
  if (ended) { fail(AFTER_END); return taken; }
  return taken + append(at + taken, bytes - taken);
}

/** PGCOPY\n\xff\r\n\0, 32 bits of flags, of which the upper half must be understood, the length of an extension area. */
function head19(byte: u8): void {
  const at = preamble++;
  if (at < 11) {
    if (byte != signature(at)) fail(BAD_HEADER);
  } else if (at < 13) {
    if (byte != 0) fail(BAD_FLAGS);
  } else if (at >= 15) {
    extension = (extension << 8) | byte;
    if (at == 18 && extension > 0x7fff_ffff) fail(BAD_HEADER);
  }
}

function signature(at: u32): u8 {
  return at < 8 ? <u8>(0xff0a_5950_4f43_4750 >> (<u64>at << 3)) : <u8>(0x0a0d >> ((at - 8) << 3));
}

function append(from: usize, bytes: usize): usize {
  // Without room in the table the buffer may still fill; what is in it is looked at when rows have been taken.
  const run = min(bytes, limit - fill);
  memory.copy(fill, from, run);
  setFill(fill + run);
  scan();
  return run;
}

/** Looks at what had to wait until there was room. */
export function goOn(): void {
  if (format != TEXT) scan();
}

/** Whether the end may not come here. Nothing can be said while `unseen`. */
export function inside(): bool {
  if (headerBytes != 0 || payload != 0) return true;
  if (format == TEXT) return insideLine();
  return format == BINARY ? !ended : fill != row;
}

/** Whether there are bytes that nobody has looked at, for want of room in the table. */
export function unseen(): bool {
  return format != TEXT && blocked() && fill != ready;
}
