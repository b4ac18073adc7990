import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RowMatcher, UNMATCHED } from '../src/backup/rows/row-matcher.ts';

/** Few different words, so that rows are often equal, or differ in one word. */
const row = fc.tuple(...[0, 1, 2, 3].map(() => fc.constantFrom(0, 1, 0xffff_ffff)));
const table = fc.array(row, { maxLength: 60 });
const words = (rows: readonly number[][]): Uint32Array => Uint32Array.from(rows.flat());

it('finds each row once, the first of equal ones first, and none that differs in any word', () => {
  const matcher = new RowMatcher();
  fc.assert(
    fc.property(table, table, (rows, asked) => {
      matcher.index(words(rows));
      const left = rows.map((value, index) => ({ value: value.join(), index }));
      const wanted = words(asked);
      for (const [i, value] of asked.entries()) {
        const at = left.findIndex((one) => one.value === value.join());
        const expected = at < 0 ? UNMATCHED : left.splice(at, 1)[0]!.index;
        expect(matcher.take(wanted, 4 * i)).toBe(expected);
      }
    }),
  );
});
