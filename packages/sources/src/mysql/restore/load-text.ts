const TAB = 0x09;
const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const CAPITAL_N = 0x4e;
const LOWER_T = 0x74;
const LOWER_N = 0x6e;
/** From here on it pays to let the system look for what must be escaped. */
const LONG_FIELD = 256;

/**
 * Lines for LOAD DATA: fields between tabs, `\N` for null, and a backslash before the three bytes that mean something.
 * Bytes of their own, so that they may be sent while the next are made.
 *
 * @param tuples whole ones, of so many fields each.
 */
export function loadTextOf(tuples: Uint8Array, fields: number): { text: Buffer; rows: number } {
  const from = Buffer.from(tuples.buffer, tuples.byteOffset, tuples.length);
  // A null takes 4 bytes there and 2 here with what ends it; any other field its bytes twice at most, and 1.
  const text = Buffer.allocUnsafe(from.length * 2);
  let rows = 0;
  let write = 0;
  for (let read = 0; read < from.length; rows++) {
    read += 2;
    for (let i = 0; i < fields; i++) {
      const length = from.readInt32BE(read);
      read += 4;
      if (length < 0) {
        text[write++] = BACKSLASH;
        text[write++] = CAPITAL_N;
      } else {
        write = escapeInto(text, write, from, read, read + length);
        read += length;
      }
      text[write++] = i === fields - 1 ? NEWLINE : TAB;
    }
  }
  return { text: text.subarray(0, write), rows };
}

function escapeInto(to: Buffer, at: number, from: Buffer, start: number, end: number): number {
  if (end - start >= LONG_FIELD && !needsEscape(from.subarray(start, end))) {
    from.copy(to, at, start, end);
    return at + end - start;
  }
  let write = at;
  for (let read = start; read < end; read++) {
    const byte = from[read]!;
    if (byte === BACKSLASH || byte === TAB || byte === NEWLINE) {
      to[write++] = BACKSLASH;
      to[write++] = byte === TAB ? LOWER_T : byte === NEWLINE ? LOWER_N : BACKSLASH;
    } else to[write++] = byte;
  }
  return write;
}

const needsEscape = (bytes: Buffer): boolean =>
  bytes.includes(BACKSLASH) || bytes.includes(TAB) || bytes.includes(NEWLINE);
