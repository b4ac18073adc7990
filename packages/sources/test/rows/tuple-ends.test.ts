import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TupleEnds } from '../../src/rows/tuple-ends.ts';
import { cutAt, rowsOf, tupleOf } from './row-streams.ts';

const shape = fc.integer({ min: 0, max: 5 }).chain((fields) =>
  fc.record({
    fields: fc.constant(fields),
    rows: rowsOf(fields),
    cuts: fc.array(fc.nat({ max: 20_000 }), { maxLength: 30 }),
  }),
);

it('in each piece of some content, the last end of a tuple is found', () => {
  fc.assert(
    fc.property(shape, ({ rows, fields, cuts }) => {
      const tuples = rows.map(tupleOf);
      const ends: number[] = [];
      for (const tuple of tuples) ends.push((ends.at(-1) ?? 0) + tuple.length);
      const found = new TupleEnds({ fields });
      let at = 0;
      for (const piece of cutAt(Buffer.concat(tuples), cuts)) {
        const inside = ends.findLast((end) => end > at && end <= at + piece.length);
        expect(found.last(piece)).toBe(inside === undefined ? 0 : inside - at);
        at += piece.length;
        expect(found.inside).toBe(at > 0 && !ends.includes(at));
      }
    }),
  );
});

it('what is no tuple is refused in any piece', () => {
  for (const bytes of ['0003', '0002fffffffe', '000280000000', 'ffff']) {
    for (const cuts of [[], [1, 2, 3, 4, 5]]) {
      const ends = new TupleEnds({ fields: 2 });
      expect(() => cutAt(Buffer.from(bytes, 'hex'), cuts).map((piece) => ends.last(piece))).toThrow(
        expect.objectContaining({ code: 'FORMAT_INVALID' }),
      );
    }
  }
});
