import { readFileSync } from 'node:fs';
import { MAX_ROW_BYTES } from '@holdfast/contracts';
import { SAMPLE_BYTES } from '@holdfast/formats/rows';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowSum } from '../../src/rows/row-sum.ts';
import { TupleIntake } from '../../src/rows/tuple-intake.ts';
import { ReferenceHash } from './hash-reference.ts';
import {
  binaryHeader,
  copyData,
  cutAt,
  drained,
  type Row,
  rowsOf,
  TRAILER,
  textLine,
  tupleOf,
} from './row-streams.ts';

const rowKey = Buffer.alloc(32, 'a key for rows');
const reference = new ReferenceHash(rowKey);
/** Plain is slow: long tuples come several times. */
const known = new Map<string, Buffer>();
function referenceHash(tuple: Uint8Array): Buffer {
  const name = Buffer.from(tuple).toString('latin1');
  const hash = known.get(name) ?? reference.hash(tuple);
  if (tuple.length > 100_000) known.set(name, hash);
  return hash;
}
const bytesOf = (length: number, seed = 1): Buffer => {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 2654435761 * seed) >>> 13;
  return bytes;
};

const intake = (format: 'copy-binary' | 'copy-text' | 'tuples', fields: number, keyFields = 0) =>
  new TupleIntake({ format, fields, keyFields, rowKey });

/** Bytes of the first fields, behind the count. */
const keyBytes = (row: Row, keyFields: number) => tupleOf(row.slice(0, keyFields)).subarray(2);

const sumOf = (hashes: readonly Buffer[]): string => {
  const total = hashes.reduce(
    (sum, hash) => sum + BigInt(`0x${Buffer.from(hash).reverse().toString('hex')}`),
    0n,
  );
  return Buffer.from((total % 2n ** 128n).toString(16).padStart(32, '0'), 'hex')
    .reverse()
    .toString('hex');
};

function checkAll(
  rows: readonly Row[],
  keyFields: number,
  taken: ReturnType<typeof drained>,
  from: TupleIntake,
) {
  const tuples = rows.map(tupleOf);
  expect(taken.rows.length).toBe(rows.length);
  for (const [i, tuple] of tuples.entries()) {
    expect(taken.rows[i]!.equals(tuple)).toBe(true);
    const giant = tuple.length > MAX_ROW_BYTES;
    expect(taken.giants.includes(i)).toBe(giant);
    if (giant) continue;
    const hash = referenceHash(tuple).toString('hex');
    expect(taken.hashes[i]).toBe(hash);
    const key = keyFields === 0 ? hash : reference.hash(keyBytes(rows[i]!, keyFields)).toString('hex');
    expect(taken.keys[i]).toBe(key.slice(0, 16));
  }
  const index = from.index();
  expect(index.rows).toBe(rows.length);
  expect(Buffer.from(index.checksum).toString('hex')).toBe(sumOf(tuples.map(referenceHash)));
}

const shape = fc.integer({ min: 0, max: 5 }).chain((fields) =>
  fc.record({
    keyFields: fc.integer({ min: 0, max: fields }),
    fields: fc.constant(fields),
    rows: rowsOf(fields),
    cuts: fc.array(fc.nat({ max: 100_000 }), { maxLength: 30 }),
    messages: fc.array(fc.nat({ max: 100_000 }), { maxLength: 30 }),
  }),
);

describe('an intake', () => {
  it('takes tuples cut anywhere', () => {
    fc.assert(
      fc.property(shape, ({ rows, fields, keyFields, cuts }) => {
        const from = intake('tuples', fields, keyFields);
        checkAll(rows, keyFields, drained(from, cutAt(Buffer.concat(rows.map(tupleOf)), cuts)), from);
      }),
    );
  });

  it('takes the binary format in messages that have nothing to do with rows', () => {
    fc.assert(
      fc.property(shape, fc.uint8Array({ maxLength: 40 }), (of, extension) => {
        const { rows, fields, keyFields } = of;
        const stream = [binaryHeader(Buffer.from(extension)), ...rows.map(tupleOf), TRAILER];
        const messages = cutAt(Buffer.concat(stream), of.messages).map(copyData);
        const from = intake('copy-binary', fields, keyFields);
        checkAll(rows, keyFields, drained(from, cutAt(Buffer.concat(messages), of.cuts)), from);
      }),
    );
  });

  it('takes the text format with any escapes', () => {
    const odd = fc.array(fc.constantFrom('plain' as const, 'octal' as const, 'hex' as const), {
      minLength: 1,
    });
    fc.assert(
      fc.property(shape, odd, fc.boolean(), (of, escapes, marker) => {
        const { rows, fields, keyFields } = of;
        let at = 0;
        const nextEscape = () => escapes[at++ % escapes.length]!;
        const lines = rows.map((row) => textLine(row, nextEscape));
        if (marker) lines.push(Buffer.from('\\.\n'));
        const messages = cutAt(Buffer.concat(lines), of.messages).map(copyData);
        const from = intake('copy-text', fields, keyFields);
        checkAll(rows, keyFields, drained(from, cutAt(Buffer.concat(messages), of.cuts)), from);
      }),
    );
  });

  it.each([
    ['\\x', 'x'],
    ['\\xg', 'xg'],
    ['\\xA1\\xaF', '\xa1\xaf'],
    ['\\1\\12\\1234', '\u0001\nS4'],
    ['\\9', '9'],
    ['\\Nx', 'Nx'],
    ['x\\N', 'xN'],
    ['N', 'N'],
    ['\\.x', '.x'],
    ['a\\b\\f\\n\\r\\t\\v\\\\\\q', 'a\b\f\n\r\t\v\\q'],
  ])('reads %s as the server does', (text, value) => {
    const from = intake('copy-text', 1, 0);
    const { rows } = drained(from, [copyData(Buffer.from(`${text}\n`, 'latin1'))]);
    expect(rows).toEqual([tupleOf([Buffer.from(value, 'latin1')])]);
  });

  it('says where the next message is another one', () => {
    const from = intake('copy-binary', 1);
    const data = copyData(binaryHeader());
    const notice = Buffer.from('N\0\0\0\x05\0');
    expect(from.push(Buffer.concat([data, notice]))).toBe(data.length);
    expect(from.atOther).toBe(true);
    const rest = copyData(Buffer.concat([tupleOf([null]), TRAILER]));
    expect(from.push(rest.subarray(0, 1))).toBe(1);
    expect(from.atOther).toBe(false);
    expect(from.push(rest.subarray(1))).toBe(rest.length - 1);
    from.end();
    expect(from.take(new Uint8Array(MAX_ROW_BYTES))).toMatchObject({ kind: 'rows', count: 1 });
  });

  it('has the hash that the specification shows', () => {
    const spec = readFileSync(new URL('../../../../docs/specs/rows.md', import.meta.url), 'utf8');
    const shown = (of: string) =>
      spec.match(new RegExp(`^\\| ${of} \\| \`([0-9a-f ]+)\``, 'm'))![1]!.replaceAll(' ', '');
    const from = new TupleIntake({ format: 'tuples', fields: 2, keyFields: 1, rowKey: Buffer.alloc(32) });
    const taken = drained(from, [Buffer.from(shown('tuple'), 'hex')]);
    expect(taken.hashes).toEqual([shown('hash of the row')]);
    expect(taken.keys).toEqual([shown('hash of its key')]);
  });
});

describe('rows too long to be compared', () => {
  // The last one is of a tree of three levels, and longer than the kernel's memory.
  const lengths = [MAX_ROW_BYTES - 6, MAX_ROW_BYTES - 5, 1_300_000];
  const rows: Row[] = lengths.flatMap((length, i) => [[bytesOf(length, i + 1)], [Buffer.from('short')]]);

  it.each(['tuples', 'copy-binary', 'copy-text'] as const)('leave in pieces: %s', (format) => {
    for (const [step, room] of [
      [65_536, 256 * 1024],
      [1_000_003, 300_001],
      [Number.MAX_SAFE_INTEGER, 1 << 20],
    ] as const) {
      const stream =
        format === 'tuples'
          ? rows.map(tupleOf)
          : format === 'copy-text'
            ? rows.map((row) => copyData(textLine(row)))
            : [binaryHeader(), ...rows.map(tupleOf), TRAILER].map(copyData);
      const bytes = Buffer.concat(stream);
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += step) pieces.push(bytes.subarray(at, at + step));
      const from = intake(format, 1);
      checkAll(rows, 0, drained(from, pieces, room), from);
    }
  });

  it('of many short fields leave as text comes', () => {
    const row: Row = Array.from({ length: 1600 }, (_, i) => bytesOf(1000, i + 1));
    const from = intake('copy-text', 1600, 2);
    checkAll([row, row], 2, drained(from, [copyData(textLine(row)), copyData(textLine(row))]), from);
  });

  it('need no more memory than any', () => {
    const from = intake('tuples', 1);
    const into = new Uint8Array(MAX_ROW_BYTES);
    const head = Buffer.from('00010fffffff', 'hex');
    const before = process.memoryUsage().arrayBuffers;
    let length = 0;
    const piece = Buffer.alloc(1 << 20);
    from.push(head);
    for (let left = 2 ** 28 - 1; left > 0; ) {
      const taken = from.push(piece.subarray(0, Math.min(left, piece.length)));
      left -= taken;
      for (let out = from.take(into); out; out = from.take(into)) length += out.length;
    }
    from.end();
    expect(length).toBe(2 ** 28 + 5);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
  });
});

describe('many rows', () => {
  it('than the table holds are given in batches', () => {
    const tuple = tupleOf([]);
    const from = intake('tuples', 0);
    const { rows } = drained(from, [Buffer.concat(Array(100_000).fill(tuple))]);
    expect(rows.length).toBe(100_000);
    expect(from.index().rows).toBe(100_000);
  });

  it('are sampled', () => {
    const rows: Row[] = Array.from({ length: 12_000 }, (_, i) => [
      Buffer.from(String(i)),
      bytesOf(i % 1000 === 5 ? 300_000 : 500, i),
    ]);
    const from = intake('tuples', 2, 1);
    drained(from, [Buffer.concat(rows.map(tupleOf))]);
    let offset = 0;
    let last = Number.NEGATIVE_INFINITY;
    const expected = rows.flatMap((row, i) => {
      const due = offset - last >= SAMPLE_BYTES;
      if (due) last = offset;
      const sample = { offset, row: i, key: new Uint8Array(tupleOf(row.slice(0, 1))) };
      offset += tupleOf(row).length;
      return due ? [sample] : [];
    });
    expect(from.index().samples).toEqual(expected);
    expect(expected.length).toBeGreaterThan(7);
  });
});

describe('a sum of rows', () => {
  it('is that of the index, whatever the order', () => {
    fc.assert(
      fc.property(shape, ({ rows, fields, cuts }) => {
        const from = intake('tuples', fields);
        drained(from, [Buffer.concat(rows.map(tupleOf))]);
        const sum = new RowSum({ fields, keyFields: 0, rowKey });
        for (const piece of cutAt(Buffer.concat(rows.toReversed().map(tupleOf)), cuts)) sum.add(piece);
        expect(sum.checksum()).toEqual(from.index().checksum);
        expect(sum.rows).toBe(rows.length);
      }),
    );
  });

  it('tells when two rows have swapped a field', () => {
    const sum = (rows: Row[]) => {
      const of = new RowSum({ fields: 2, keyFields: 1, rowKey });
      of.add(Buffer.concat(rows.map(tupleOf)));
      return Buffer.from(of.checksum()).toString('hex');
    };
    const [a, b, x, y] = [1, 2, 3, 4].map((seed) => bytesOf(64, seed)) as [Buffer, Buffer, Buffer, Buffer];
    expect(sum([[a, x], [b, y]])).not.toBe(sum([[a, y], [b, x]])); // biome-ignore format: side by side
  });

  it('of giants is that of the index too', () => {
    const rows = [tupleOf([bytesOf(600_000)]), tupleOf([bytesOf(10)])];
    const from = intake('tuples', 1);
    drained(from, rows);
    const sum = new RowSum({ fields: 1, keyFields: 0, rowKey });
    sum.add(rows[1]!);
    sum.add(rows[0]!);
    expect(sum.checksum()).toEqual(from.index().checksum);
  });
});
