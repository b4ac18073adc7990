import type { RowsColumn, RowsDescription } from '@holdfast/formats/rows';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyRange, parseKeyConditions } from '../src/rows/key-range.ts';
import { keyValues } from '../src/rows/key-values.ts';

const column = (name: string, typeId: number, encoding: RowsColumn['encoding'] = 'binary'): RowsColumn => ({
  name,
  type: `type ${typeId}`,
  typeId,
  encoding,
  notNull: true,
});
const described = (...columns: RowsColumn[]): RowsDescription => ({
  dialect: 'postgres',
  schema: 'public',
  table: 't',
  family: null,
  window: null,
  columns,
  keyColumns: columns.length,
});
const int8 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
};

describe('conditions', () => {
  it('are read as SQL writes them', () => {
    expect(parseKeyConditions(`id >= 5 AND "At ""x""" between '2026-11-01' and 'it''s' and b<-7.5`)).toEqual([
      { column: 'id', operator: '>=', value: '5' },
      { column: 'At "x"', operator: '>=', value: '2026-11-01' },
      { column: 'At "x"', operator: '<=', value: "it's" },
      { column: 'b', operator: '<', value: '-7.5' },
    ]);
  });

  it.each([
    '',
    'id',
    'id = ',
    'id == 5',
    'id = 5 or id = 6',
    'id = 5; drop table t',
    'id in (1,2)',
    "id = 'x",
    'id = 5 and',
  ])('that are none are refused: %s', (text) => {
    expect(() => parseKeyConditions(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it.each([
    ['no = 5', /not a column of the key/],
    ["id = 'five'", /not a value/],
    ["name > 'a'", /cannot be compared/],
    ['odd = 5', /cannot be compared/],
  ])('that cannot be answered are refused: %s', (text, message) => {
    const rows = described(column('id', 20), column('name', 25), column('odd', 600));
    expect(() => new KeyRange(parseKeyConditions(text), rows)).toThrow(message);
  });
});

it('a range reads every row that it keeps, wherever samples stand', () => {
  const value = fc.bigInt({ min: -50n, max: 50n });
  const operator = fc.constantFrom('=', '<', '<=', '>', '>=');
  fc.assert(
    fc.property(
      fc.array(value, { maxLength: 60 }),
      fc.array(fc.tuple(operator, value), { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 9 }),
      (values, wanted, step) => {
        const rows = values.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        const conditions = wanted.flatMap(([op, bound]) => parseKeyConditions(`id ${op} ${bound}`));
        const range = new KeyRange(conditions, described(column('id', 20), column('more', 20)));
        const samples = rows.flatMap((id, row) =>
          row % step === 0 ? [{ offset: 10 * row, row, key: int8(id) }] : [],
        );
        const { from, to } = range.bytes(samples, 10 * rows.length, (key) => [key]);
        for (const [row, id] of rows.entries()) {
          const matches = wanted.every(([op, bound]) =>
            op === '='
              ? id === bound
              : op.startsWith('<')
                ? id < bound || (op === '<=' && id === bound)
                : id > bound || (op === '>=' && id === bound),
          );
          expect(range.keep([int8(id), int8(0n)])).toBe(matches);
          if (matches) expect(10 * row >= from && 10 * (row + 1) <= to).toBe(true);
        }
      },
    ),
  );
});

describe('values of keys', () => {
  it.each([
    [1184, int8(0n), '2000-01-01'],
    [1184, int8(-1n), '1999-12-31T23:59:59.999999Z'],
    [1184, int8(817_000_000_000_000n), '2025-11-21T02:26:40+02:00'],
    [1114, int8(1n), '2000-01-01 00:00:00.000001'],
    [1082, Buffer.from([0, 0, 0, 1]), '2000-01-02'],
    [1082, Buffer.from([255, 255, 255, 255]), '1999-12-31'],
    [23, Buffer.from([255, 255, 255, 254]), '-2'],
    [26, Buffer.from([255, 255, 255, 254]), '4294967294'],
    [2950, Buffer.from('00112233445566778899aabbccddeeff', 'hex'), '{00112233-4455-6677-8899-AABBCCDDEEFF}'],
  ])('of type %i: binary ones are what is written', (type, bytes, text) => {
    const values = keyValues(column('k', type), 'postgres')!;
    expect(values.decode(bytes)).toEqual(values.parse(text));
    const asText = keyValues(column('k', type, 'text'), 'postgres')!;
    expect(asText.decode(Buffer.from(text))).toEqual(values.parse(text));
  });

  it('that are no dates are not taken for others', () => {
    const { parse } = keyValues(column('k', 1184), 'postgres')!;
    expect(['2026-13-01', '2026-11-40', 'yesterday', '2026', '20261101'].map(parse)).toEqual(
      Array(5).fill(null),
    );
  });
});
