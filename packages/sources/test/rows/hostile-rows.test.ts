import { HoldfastError, MAX_ROW_BYTES } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TupleIntake } from '../../src/rows/tuple-intake.ts';
import { TupleSplitter } from '../../src/rows/tuple-splitter.ts';
import { binaryHeader, copyData, drained, rowsOf, TRAILER, textLine, tupleOf } from './row-streams.ts';

const unreadable = expect.objectContaining({ code: 'SOURCE_UNREADABLE' });
/** Found in what is there, not only missed at the end. */
const found = expect.objectContaining({
  code: 'SOURCE_UNREADABLE',
  message: expect.stringContaining('cannot be understood'),
});
const rowKey = new Uint8Array(32);
const open = (format: 'copy-binary' | 'copy-text' | 'tuples', fields = 1) =>
  new TupleIntake({ format, fields, keyFields: Math.min(1, fields), rowKey });
const hex = (text: string) => Buffer.from(text, 'hex');
const tuple = tupleOf([Buffer.from('x')]);

describe('an intake refuses', () => {
  it.each<[string, Uint8Array]>([
    ['another signature', copyData(Buffer.from(binaryHeader()).fill('x', 3, 4))],
    [
      'a signature that has been through a text conversion',
      copyData(Buffer.from('PGCOPY\n\xff\n\0\0\0\0\0\0\0\0\0\0', 'latin1')),
    ],
    ['flags it must know', copyData(Buffer.from(binaryHeader()).fill(1, 12, 13))],
    ['a negative extension', copyData(Buffer.from(binaryHeader()).fill(0xff, 15, 19))],
    ['another count', copyData(Buffer.concat([binaryHeader(), hex('0002')]))],
    ['no fields', copyData(Buffer.concat([binaryHeader(), hex('0000'), TRAILER]))],
    ['a length of −2', copyData(Buffer.concat([binaryHeader(), hex('0001fffffffe'), TRAILER]))],
    ['the least length', copyData(Buffer.concat([binaryHeader(), hex('000180000000'), TRAILER]))],
    ['bytes behind the trailer', copyData(Buffer.concat([binaryHeader(), TRAILER, tuple]))],
    [
      'a message behind the trailer',
      Buffer.concat([copyData(Buffer.concat([binaryHeader(), TRAILER])), copyData(tuple)]),
    ],
    ['a message shorter than its length', hex('6400000003')],
    ['a message of more than 2 GiB', hex('6480000000')],
  ])('in binary: %s', (_, bytes) => {
    expect(() => drained(open('copy-binary'), [bytes])).toThrow(found);
    expect(() =>
      drained(
        open('copy-binary'),
        Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)),
      ),
    ).toThrow(found);
  });

  it.each(['a\tb\n', '\\.\nx\n'])('in text: %j', (text) => {
    expect(() => drained(open('copy-text'), [copyData(Buffer.from(text))])).toThrow(found);
  });

  it('an end anywhere but behind the last row', () => {
    const binary = copyData(Buffer.concat([binaryHeader(), tuple, TRAILER]));
    const text = copyData(Buffer.from('x\n'));
    for (const [format, bytes] of [
      ['copy-binary', binary],
      ['copy-text', text],
      ['tuples', tuple],
    ] as const) {
      // biome-ignore format: short
      expect(drained(open(format), [bytes]).rows).toEqual([tuple]);
      const from = format === 'copy-binary' ? 0 : 1;
      for (let length = from; length < bytes.length; length++) {
        expect(() => drained(open(format), [bytes.subarray(0, length)])).toThrow(unreadable);
      }
    }
  });

  it('everything after it has refused something', () => {
    const intake = open('tuples');
    expect(() => intake.push(hex('0002'))).toThrow(unreadable);
    expect(() => intake.push(tuple)).toThrow(unreadable);
  });

  it('an end that it can see only later', () => {
    const intake = open('tuples', 0);
    const rows = Buffer.alloc(2 * 20_000 + 1);
    expect(intake.push(rows)).toBe(rows.length);
    intake.end();
    const into = new Uint8Array(MAX_ROW_BYTES);
    expect(intake.take(into)).toMatchObject({ count: 16_384 });
    expect(intake.take(into)).toMatchObject({ count: 20_000 - 16_384 });
    expect(() => intake.take(into)).toThrow(unreadable);
  });

  it('keys and numbers that make no sense', () => {
    const usage = expect.objectContaining({ code: 'USAGE' });
    const of = { format: 'tuples', fields: 2, keyFields: 1, rowKey } as const;
    for (const wrong of [
      { keyFields: 3 },
      { keyFields: -1 },
      { fields: 65_535 },
      { rowKey: new Uint8Array(31) },
    ])
      expect(() => new TupleIntake({ ...of, ...wrong })).toThrow(usage);
  });
});

describe('hostile bytes', () => {
  const start = fc.integer({ min: 0, max: 3 }).chain((fields) =>
    fc.record({
      fields: fc.constant(fields),
      rows: rowsOf(fields, 6),
      edits: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
      step: fc.integer({ min: 1, max: 5000 }),
    }),
  );

  it('give tuples or an error, and the same as a splitter finds', () => {
    fc.assert(
      fc.property(
        start,
        fc.constantFrom('copy-binary' as const, 'copy-text' as const, 'tuples' as const),
        (of, format) => {
          const { fields, rows, edits, step } = of;
          const tuples = Buffer.concat(rows.map(tupleOf));
          const bytes =
            format === 'tuples'
              ? tuples
              : format === 'copy-text'
                ? Buffer.concat(rows.map((row) => copyData(textLine(row))))
                : copyData(Buffer.concat([binaryHeader(), tuples, TRAILER]));
          for (const [at, byte] of edits) if (bytes.length > 0) bytes[at % bytes.length] = byte;
          const pieces = [];
          for (let at = 0; at < bytes.length; at += step) pieces.push(bytes.subarray(at, at + step));
          const intake = open(format, fields);
          let taken: ReturnType<typeof drained>;
          try {
            taken = drained(intake, pieces);
          } catch (error) {
            if (intake.atOther || HoldfastError.is(error, 'SOURCE_UNREADABLE')) return;
            throw error;
          }
          const splitter = new TupleSplitter({ fields });
          splitter.push(Buffer.concat(taken.rows));
          splitter.end();
          if (format === 'tuples') expect(Buffer.concat(taken.rows).equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
