import fc from 'fast-check';
import type { TupleIntake } from '../../src/rows/tuple-intake.ts';

/** Fields of one row. */
export type Row = readonly (Uint8Array | null)[];

export const tupleOf = (row: Row): Buffer => {
  const count = Buffer.alloc(2);
  count.writeUInt16BE(row.length);
  return Buffer.concat([count, ...row.flatMap(fieldBytes)]);
};

function fieldBytes(field: Uint8Array | null): Uint8Array[] {
  const length = Buffer.alloc(4);
  length.writeInt32BE(field === null ? -1 : field.length);
  return field === null ? [length] : [length, field];
}

export const copyData = (payload: Uint8Array): Buffer => {
  const header = Buffer.from('d\0\0\0\0');
  header.writeUInt32BE(payload.length + 4, 1);
  return Buffer.concat([header, payload]);
};

export const binaryHeader = (extension = Buffer.alloc(0)): Buffer => {
  const fixed = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
  fixed.writeUInt32BE(extension.length, 15);
  return Buffer.concat([fixed, extension]);
};

export const TRAILER = Buffer.from([0xff, 0xff]);

const SPECIAL = ['\b', '\t', '\n', '\v', '\f', '\r'];
const LETTERS = 'btnvfr';

/** As PostgreSQL writes it, but that bytes which need no escape may be written as octal or hex digits too. */
export function textLine(row: Row, odd: (byte: number) => 'plain' | 'octal' | 'hex' = () => 'plain'): Buffer {
  const fields = row.map((field) =>
    field === null ? '\\N' : Array.from(field, (b) => escaped(b, odd(b))).join(''),
  );
  return Buffer.from(`${fields.join('\t')}\n`, 'latin1');
}

function escaped(byte: number, how: 'plain' | 'octal' | 'hex'): string {
  if (how === 'octal') return `\\${byte.toString(8).padStart(3, '0')}`;
  if (how === 'hex') return `\\x${byte.toString(16).padStart(2, '0')}`;
  const character = String.fromCharCode(byte);
  const special = SPECIAL.indexOf(character);
  if (special >= 0) return `\\${LETTERS[special]}`;
  return character === '\\' ? '\\\\' : character;
}

/** Bytes in pieces at these places (modulo its length). */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length));
}

const field = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  { weight: 2, arbitrary: fc.constant(null) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('\\N', '\\.', 'N', '.', '\\', '\t', '').map((text) => Buffer.from(text)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 255 }), fc.nat({ max: 5000 }))
      .map(([seed, length]) => Buffer.from(Uint8Array.from({ length }, (_, i) => (seed * (i + 7)) >> 3))),
  },
);

export const rowsOf = (fields: number, maxLength = 30): fc.Arbitrary<Row[]> =>
  fc.array(fc.array(field, { minLength: fields, maxLength: fields }), { maxLength });

export interface Taken {
  readonly rows: Buffer[];
  readonly hashes: string[];
  readonly keys: string[];
  /** Numbers of rows that came in pieces. */
  readonly giants: number[];
}

const hex = (words: Uint32Array) =>
  Buffer.from(words.buffer, words.byteOffset, words.byteLength).toString('hex');

/** Everything out of an intake into which pieces go one after the other. @param room Of the buffer. */
export function drained(intake: TupleIntake, pieces: readonly Uint8Array[], room = 256 * 1024): Taken {
  const into = new Uint8Array(room);
  const taken: Taken = { rows: [], hashes: [], keys: [], giants: [] };
  let giant: Buffer[] = [];
  const take = (): boolean => {
    const result = intake.take(into);
    if (!result) return false;
    if (result.kind === 'piece') {
      giant.push(Buffer.from(into.subarray(0, result.length)));
      if (!result.last) return true;
      taken.giants.push(taken.rows.length);
      taken.rows.push(Buffer.concat(giant));
      taken.hashes.push('');
      taken.keys.push('');
      giant = [];
      return true;
    }
    let at = 0;
    for (let i = 0; i < result.count; i++) {
      taken.rows.push(Buffer.from(into.subarray(at, at + result.lengths[i]!)));
      taken.hashes.push(hex(result.hashes.subarray(4 * i, 4 * i + 4)));
      taken.keys.push(hex(result.keys.subarray(2 * i, 2 * i + 2)));
      at += result.lengths[i]!;
    }
    if (at !== result.length) throw new Error('Lengths do not add up.');
    return true;
  };
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const pushed = intake.push(piece.subarray(at));
      at += pushed;
      if (at < piece.length && !take()) {
        if (pushed > 0 && !intake.atOther) continue;
        throw new Error('Neither takes nor gives.');
      }
    }
  }
  intake.end();
  while (take());
  return taken;
}
