import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BINARY_TYPES_BY_NAME, isBinaryType } from '../../src/export/binary-types.ts';
import { BINARY_TYPES } from '../../src/export/postgres-binary/index.ts';
import { TupleIntake } from '../../src/rows/tuple-intake.ts';
import { fieldsOf } from '../../src/rows/tuple-splitter.ts';
import { rawCopyOut } from '../rows/raw-copy.ts';
import { drained } from '../rows/row-streams.ts';
import { arrayOf, LITERALS } from './postgres-literals.ts';

const MAJORS = [13, 15, 17] as const;
const missing = new Map(
  await Promise.all(MAJORS.map(async (major) => [major, await PostgresServer.missing(major)] as const)),
);
/** On the version that most tests run on; on the others a third. */
const VALUES = 300;
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

describe('the list of binary types', () => {
  it('is what can be decoded', () => {
    for (const oid of BINARY_TYPES.keys()) expect(isBinaryType(oid)).toBe(true);
    expect(BINARY_TYPES.size).toBe(2 * BINARY_TYPES_BY_NAME.length);
    expect(isBinaryType(790)).toBe(false);
  });
});

describe.each(MAJORS)('fields in the binary form of PostgreSQL %i', (major) => {
  if (missing.get(major)) return it.skip(missing.get(major)!);
  const count = major === 15 ? VALUES : VALUES / 3;
  /** Multiranges are of version 14. */
  const TYPES = BINARY_TYPES_BY_NAME.filter(([name]) => major > 13 || !name.endsWith('multirange'));

  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start({ major });
    await server.query(`create function accepts(value text, type text) returns bool language plpgsql as $$
      begin execute format('select %L::%s', value, type); return true; exception when data_exception or invalid_parameter_value then return false; end $$`);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  /** Both forms of a column, in the same order. */
  const columnOf = async (table: string, format: 'binary' | 'text'): Promise<Uint8Array[]> => {
    const raw = await rawCopyOut(
      server,
      `copy (select v from ${table} order by id) to stdout (format ${format})`,
    );
    const intake = new TupleIntake({
      format: `copy-${format}`,
      fields: 1,
      keyFields: 0,
      rowKey: Buffer.alloc(32),
    });
    const { rows } = drained(intake, [raw.subarray(0, raw.lastIndexOf(Buffer.from('c\0\0\0\x04')))]);
    return rows.map((row) => [...fieldsOf(row, 1)][0]![0]!);
  };

  it('have the oids that the server knows', async () => {
    const types = await server.query(
      'select typname, oid::int, typarray::int from pg_type where typarray <> 0',
    );
    const known = new Map(types.map(({ typname, oid, typarray }) => [typname, [oid, typarray]]));
    for (const [name, oid, array] of TYPES) expect([name, known.get(name)]).toEqual([name, [oid, array]]);
  });

  const cases = TYPES.flatMap(([name, oid, array]) => {
    const type = name === 'char' ? '"char"' : name;
    return [
      [type, oid, LITERALS[name]] as const,
      [`${type}[]`, array, arrayOf(LITERALS[name], name === 'box' ? ';' : ',')] as const,
    ];
  });

  it.each(cases)('of %s become what its output function writes', async (type, oid, literals) => {
    const table = `t_${oid}`;
    await server.query(`create table ${table} (id serial, v ${type})`);
    const values = fc.sample(literals, count);
    await server.query(
      `with given as (select v from unnest($1::text[]) with ordinality as g(v, i) order by i)
       insert into ${table} (v) select v::${type} from given where accepts(v, $2)`,
      'postgres',
      [values, type],
    );
    const [binary, text] = [await columnOf(table, 'binary'), await columnOf(table, 'text')];
    expect(binary.length).toBeGreaterThan(count / 2);
    const decode = BINARY_TYPES.get(oid)!;
    expect(binary.map(decode)).toEqual(text.map(latin1));
  });

  it('of doubles that lie where decimals are in the middle', async () => {
    await server.query('create table doubles (id serial, v float8)');
    await server.query(`insert into doubles (v)
      select (m * 10::numeric ^ e)::float8 from generate_series(1, 99) m, generate_series(15, 60) e`);
    await server.query(`insert into doubles (v) select 2::float8 ^ e from generate_series(-1022, 1023) e`);
    await server.query('create table singles (id serial, v float4)');
    await server.query(
      `insert into singles (v) select (2::float8 ^ e)::float4 from generate_series(-149, 127) e`,
    );
    await server.query(`insert into singles (v)
      select (m * 10::numeric ^ e)::float4 from generate_series(1, 999) m, generate_series(4, 20) e`);
    for (const [table, oid] of [
      ['doubles', 701],
      ['singles', 700],
    ] as const) {
      // biome-ignore format: short
      const [binary, text] = [await columnOf(table, 'binary'), await columnOf(table, 'text')];
      expect(binary.map(BINARY_TYPES.get(oid)!)).toEqual(text.map(latin1));
    }
  });
});

describe('hostile fields', () => {
  it('give text or are refused', () => {
    const decoders = fc.constantFrom(...BINARY_TYPES.values());
    const word = fc.constantFrom(
      '00000000',
      '00000001',
      '00000002',
      '7fffffff',
      'ffffffff',
      '80000000',
      '00000010',
      '00000017',
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.array(word, { maxLength: 10 }).map((words) => Uint8Array.from(Buffer.from(words.join(''), 'hex'))),
    );
    fc.assert(
      fc.property(decoders, bytes, (decode, field) => {
        try {
          decode(field);
        } catch (error) {
          expect(error).toMatchObject({ code: 'FORMAT_INVALID' });
        }
      }),
      { numRuns: 20_000 },
    );
  });
});
