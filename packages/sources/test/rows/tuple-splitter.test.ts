import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyTextOf } from '../../src/rows/copy-text.ts';
import { encodeTuple, fieldsOf, TupleSplitter } from '../../src/rows/tuple-splitter.ts';
import { cutAt, rowsOf, textLine, tupleOf } from './row-streams.ts';

const shape = fc.integer({ min: 0, max: 5 }).chain((fields) =>
  fc.record({
    fields: fc.constant(fields),
    rows: rowsOf(fields),
    cuts: fc.array(fc.nat({ max: 20_000 }), { maxLength: 30 }),
  }),
);
const invalid = expect.objectContaining({ code: 'FORMAT_INVALID' });

describe('tuples', () => {
  it('are written as they are read', () => {
    fc.assert(
      fc.property(shape, ({ rows, fields }) => {
        for (const row of rows) expect(encodeTuple(row).equals(tupleOf(row))).toBe(true);
        const read = [...fieldsOf(Buffer.concat(rows.map(encodeTuple)), fields)];
        expect(read.map((row) => row.map((field) => field && Buffer.from(field)))).toEqual(
          rows.map((row) => row.map((field) => field && Buffer.from(field))),
        );
      }),
    );
  });

  it('are found in content cut anywhere', () => {
    fc.assert(
      fc.property(shape, ({ rows, fields, cuts }) => {
        const splitter = new TupleSplitter({ fields });
        const found: Buffer[] = [];
        for (const piece of cutAt(Buffer.concat(rows.map(tupleOf)), cuts)) {
          // Whoever gives bytes may use their memory for others; and a Buffer’s `slice` is no copy.
          const borrowed = Buffer.from(piece);
          for (const view of splitter.push(borrowed)) {
            found.push(...[...fieldsOf(view, fields)].map(encodeTuple));
          }
          borrowed.fill(0xee);
        }
        splitter.end();
        expect(Buffer.concat(found).equals(Buffer.concat(rows.map(tupleOf)))).toBe(true);
        expect(found.length).toBe(rows.length);
      }),
    );
  });

  it('that end early, or are none, are refused', () => {
    const tuple = tupleOf([Buffer.from('seven'), null]);
    for (let length = 1; length < tuple.length; length++) {
      const splitter = new TupleSplitter({ fields: 2 });
      expect(splitter.push(tuple.subarray(0, length))).toEqual([]);
      expect(() => splitter.end()).toThrow(invalid);
      expect(() => [...fieldsOf(tuple.subarray(0, length), 2)]).toThrow(invalid);
      expect(() => copyTextOf(tuple.subarray(0, length), 2)).toThrow(invalid);
    }
    const fields = (bytes: string) => Buffer.from(bytes, 'hex');
    for (const bytes of [fields('0003'), fields('0002fffffffe'), fields('000280000000'), fields('ffff')]) {
      for (const cuts of [[], [1, 2, 3, 4, 5]]) {
        const splitter = new TupleSplitter({ fields: 2 });
        expect(() => cutAt(bytes, cuts).map((piece) => splitter.push(piece))).toThrow(invalid);
      }
      expect(() => [...fieldsOf(bytes, 2)]).toThrow(invalid);
      expect(() => copyTextOf(bytes, 2)).toThrow(invalid);
    }
  });

  it('become the lines that COPY reads', () => {
    fc.assert(
      fc.property(shape, ({ rows, fields }) => {
        const text = Buffer.from(copyTextOf(Buffer.concat(rows.map(tupleOf)), fields));
        expect(text.equals(Buffer.concat(rows.map((row) => textLine(row))))).toBe(true);
      }),
    );
  });

  it('full of what has to be escaped become lines twice as long', () => {
    const row = [Buffer.alloc(300_000, '\t\\\n')];
    expect(Buffer.from(copyTextOf(tupleOf(row), 1)).equals(textLine(row))).toBe(true);
  });
});
