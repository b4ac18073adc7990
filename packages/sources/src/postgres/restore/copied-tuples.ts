import { encodeTuple } from '../../rows/tuple-splitter.ts';

const HEADER_BYTES = 19;
const TRAILER = 0xffff;
const TAB = 0x09;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const NULL_TEXT = '\\N';
const UNESCAPED: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, f: 12, v: 11 };

/** Messages of a binary COPY to tuples; give `first` for those that the header stands in. */
export function tuplesOfBinary(messages: readonly Buffer[], first: boolean): Buffer {
  // The header shares a message with the first row, or with the trailer; that has one of its own otherwise.
  const rows = messages.map((message, i) => (first && i === 0 ? message.subarray(HEADER_BYTES) : message));
  const last = rows.at(-1);
  if (last?.length === 2 && last.readUInt16BE() === TRAILER) rows.pop();
  return Buffer.concat(rows);
}

/** Messages of a text COPY, a line each, to tuples. */
export const tuplesOfText = (messages: readonly Buffer[], fields: number): Buffer =>
  Buffer.concat(messages.map((line) => tupleOfLine(line, fields)));

function tupleOfLine(line: Buffer, fields: number): Buffer {
  if (fields === 0) return encodeTuple([]);
  const end = line.at(-1) === NEWLINE ? line.length - 1 : line.length;
  const row: (Uint8Array | null)[] = [];
  for (let start = 0; row.length < fields; ) {
    const tab = line.indexOf(TAB, start);
    const stop = tab < 0 || tab > end ? end : tab;
    const field = line.subarray(start, stop);
    row.push(field.equals(Buffer.from(NULL_TEXT)) ? null : unescaped(field));
    start = stop + 1;
  }
  return encodeTuple(row);
}

function unescaped(field: Buffer): Uint8Array {
  if (!field.includes(BACKSLASH)) return field;
  const bytes = Buffer.allocUnsafe(field.length);
  let length = 0;
  for (let at = 0; at < field.length; at++) {
    if (field[at] !== BACKSLASH) bytes[length++] = field[at]!;
    else {
      at += 1;
      bytes[length++] = UNESCAPED[String.fromCharCode(field[at]!)] ?? field[at]!;
    }
  }
  return bytes.subarray(0, length);
}
