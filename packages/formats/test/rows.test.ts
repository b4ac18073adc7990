import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeRowsDescription,
  decodeRowsIndex,
  encodeRowsDescription,
  encodeRowsIndex,
  FIELD_ENCODINGS,
  type RowsDescription,
  type RowsIndex,
} from '../src/rows/index.ts';
import { bytes, safeUint, text } from './arbitraries.ts';
import { checkHostileInput } from './hostile.ts';

const column = fc.record({
  name: text(),
  type: text(),
  typeId: fc.nat({ max: 2 ** 32 - 1 }),
  encoding: fc.constantFrom(...FIELD_ENCODINGS),
  notNull: fc.boolean(),
});

const description: fc.Arbitrary<RowsDescription> = fc
  .record({
    dialect: fc.constantFrom('postgres' as const, 'mysql' as const),
    schema: text(),
    table: text(),
    family: fc.option(text()),
    window: fc.option(
      fc.record({ label: text(), column: text(), from: fc.option(text()), to: fc.option(text()) }),
    ),
    columns: fc.array(column, { maxLength: 8 }),
    key: fc.nat(),
  })
  .map(({ key, ...facts }) => ({ ...facts, keyColumns: key % (facts.columns.length + 1) }));

const step = fc.record({
  offset: fc.integer({ min: 1, max: 2 ** 40 }),
  row: fc.integer({ min: 1, max: 2 ** 40 }),
  key: fc.uint8Array({ minLength: 2, maxLength: 40 }),
});

const index: fc.Arbitrary<RowsIndex> = fc
  .record({ steps: fc.array(step, { maxLength: 6 }), checksum: bytes(16), more: safeUint })
  .map(({ steps, checksum, more }) => {
    let at = { offset: -1, row: -1 };
    const samples = steps.map(({ offset, row, key }) => {
      at = { offset: at.offset + offset, row: at.row + row };
      return { ...at, key };
    });
    return { rows: Math.min(at.row + 1 + more, Number.MAX_SAFE_INTEGER), checksum, samples };
  });

const invalid = expect.objectContaining({ code: 'FORMAT_INVALID' });

describe('a description of rows', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(description, (value) => {
        expect(decodeRowsDescription(encodeRowsDescription(value))).toEqual(value);
      }),
    );
  });

  it('that is hostile is refused', () => {
    checkHostileInput(description.map(encodeRowsDescription), decodeRowsDescription, encodeRowsDescription);
  });

  it('is not written when it makes no sense', () => {
    const [value] = fc.sample(description, 1);
    const broken = { ...value!, keyColumns: value!.columns.length + 1 };
    expect(() => encodeRowsDescription(broken)).toThrow(invalid);
    expect(() => encodeRowsDescription({ ...value!, dialect: 'oracle' as 'mysql' })).toThrow(invalid);
  });
});

describe('an index of rows', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(index, (value) => {
        expect(decodeRowsIndex(encodeRowsIndex(value))).toEqual(value);
      }),
    );
  });

  it('that is hostile is refused', () => {
    checkHostileInput(index.map(encodeRowsIndex), decodeRowsIndex, encodeRowsIndex);
  });

  it('has samples in order, of rows that are there', () => {
    const sample = (offset: number, row: number) => ({ offset, row, key: new Uint8Array(2) });
    const of = (...samples: RowsIndex['samples']) =>
      encodeRowsIndex({ rows: 10, checksum: new Uint8Array(16), samples });
    expect(() => of(sample(0, 0), sample(5, 9))).not.toThrow();
    for (const samples of [[sample(0, 10)], [sample(3, 2), sample(3, 4)], [sample(3, 2), sample(4, 2)]])
      expect(() => of(...samples)).toThrow(invalid);
    expect(() => encodeRowsIndex({ rows: 0, checksum: new Uint8Array(15), samples: [] })).toThrow(invalid);
  });
});
