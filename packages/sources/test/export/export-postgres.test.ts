import type { RowsColumn, RowsDescription } from '@holdfast/formats/rows';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BINARY_TYPES_BY_NAME } from '../../src/export/binary-types.ts';
import { TupleIntake } from '../../src/rows/tuple-intake.ts';
import { rawCopyIn, rawCopyOut } from '../rows/raw-copy.ts';
import { drained } from '../rows/row-streams.ts';
import { describing, exported, type RowsObject } from './export-support.ts';
import { arrayOf, LITERALS } from './postgres-literals.ts';

const missing = await PostgresServer.missing();
const ROWS = 60;

/** Every type that is read in binary, and the array of it. */
const TYPES = BINARY_TYPES_BY_NAME.flatMap(([name, oid, array]) => {
  const type = name === 'char' ? '"char"' : name;
  return [
    { type, oid, literals: LITERALS[name] },
    { type: `${type}[]`, oid: array, literals: arrayOf(LITERALS[name], name === 'box' ? ';' : ',') },
  ];
});
const COLUMNS = TYPES.map(({ type, oid }) => `"c ""${oid}" ${type}`).join(', ');

describe.skipIf(missing)('exports of PostgreSQL', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await PostgresServer.start({ settings: { timezone: 'UTC' } });
    for (const database of ['postgres', 'csv', 'sql']) {
      if (database !== 'postgres') await server.createDatabase(database);
      await server.query(
        `create schema "odd ""name";
         create type mood as enum ('fine', 'it''s "so", so', '');
         create table every_type (id int generated always as identity primary key, ${COLUMNS});
         create table "odd ""name"."ta,""ble" (id int primary key, how mood, "say ""what"", é" text)`,
        database,
      );
    }
    await server.query(`create function accepts(value text, type text) returns bool language plpgsql as $$
      begin execute format('select %L::%s', value, type); return true; exception when data_exception or invalid_parameter_value then return false; end $$`);
    const client = await server.connect();
    const values: { v: string }[][] = [];
    for (const { type, literals } of TYPES) {
      const given = [fc.sample(literals, ROWS), type];
      values.push(
        (await client.query('select v from unnest($1::text[]) v where accepts(v, $2)', given)).rows,
      );
    }
    for (let i = 0; i < ROWS; i++) {
      const row = values.map((of, column) => ((i + column) % 11 === 0 ? null : of[i % of.length]!.v));
      const parameters = TYPES.map(({ type }, column) => `$${column + 1}::text::${type}`).join(', ');
      await client.query(`insert into every_type overriding user value values (default, ${parameters})`, row);
    }
    await client.query(`insert into "odd ""name"."ta,""ble" select i, (enum_range(null::mood))[1 + i % 3],
      (array['', null, '\\.', E'a\\nb', E'\\r\\n', 'x,y', '"', '''', '\\', 'é ü', '\\N', E'\\t', ' '])[1 + i % 13] from generate_series(1, 2000) i`);
    await client.end();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const objectOf = async (
    schema: string,
    table: string,
    encoding: 'binary' | 'text',
  ): Promise<RowsObject> => {
    const columns: RowsColumn[] = (
      await server.query(
        `select attname as name, format_type(atttypid, atttypmod) as type, atttypid::int8::int as oid, typtype, attnotnull
         from pg_attribute join pg_type t on t.oid = atttypid
         where attrelid = format('%I.%I', $1::text, $2::text)::regclass and attnum > 0 order by attnum`,
        'postgres',
        [schema, table],
      )
    ).map(({ name, type, oid, typtype, attnotnull }) => ({
      name,
      type,
      typeId: typtype === 'b' || oid < 16_384 ? oid : 0,
      encoding,
      notNull: attnotnull,
    }));
    const description: RowsDescription = describing({ schema, table, columns, keyColumns: 1 });
    const quoted = [schema, table].map((name) => `"${name.replaceAll('"', '""')}"`).join('.');
    const raw = await rawCopyOut(
      server,
      `copy (select * from ${quoted} order by 1) to stdout (format ${encoding})`,
    );
    const intake = new TupleIntake({
      format: `copy-${encoding}`,
      fields: columns.length,
      keyFields: 1,
      rowKey: Buffer.alloc(32),
    });
    const { rows } = drained(intake, [raw.subarray(0, raw.lastIndexOf(Buffer.from('c\0\0\0\x04')))]);
    return { description, tuples: Buffer.concat(rows) };
  };

  const digest = async (table: string, database: string): Promise<string> => {
    const rows = await server.query(
      `select count(*), md5(string_agg(t::text, e'\\n' order by id)) from ${table} t`,
      database,
    );
    return JSON.stringify(rows);
  };

  const CASES = [
    ['public', 'every_type', 'binary'],
    ['public', 'every_type', 'text'],
    ['odd "name', 'ta,"ble', 'text'],
  ] as const;

  it.each(CASES)('%s.%s (%s) go back as CSV', async (schema, table, encoding) => {
    const name = [schema, table].map((part) => `"${part.replaceAll('"', '""')}"`).join('.');
    const csv = await exported([await objectOf(schema, table, encoding)], { format: 'csv' });
    await server.query(`truncate ${name}`, 'csv');
    await rawCopyIn(server, `copy ${name} from stdin (format csv, header match)`, csv, 'csv');
    expect(await digest(name, 'csv')).toBe(await digest(name, 'postgres'));
  });

  it.each(CASES)('%s.%s (%s) go back as SQL', async (schema, table, encoding) => {
    const name = [schema, table].map((part) => `"${part.replaceAll('"', '""')}"`).join('.');
    const sql = await exported([await objectOf(schema, table, encoding)], { format: 'sql' }, 100_000);
    await server.query(`truncate ${name}`, 'sql');
    await server.query(`set standard_conforming_strings = off; ${sql}`, 'sql');
    expect(await digest(name, 'sql')).toBe(await digest(name, 'postgres'));
  });

  it('as NDJSON are numbers, json and truth where they can be, and text as the server writes it', async () => {
    const ndjson = await exported([await objectOf('public', 'every_type', 'binary')], { format: 'ndjson' });
    const ours = ndjson
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const kinds = TYPES.filter(({ type }) => !type.endsWith('[]'));
    const theirs = await server.query(
      `select ${kinds.map(({ oid }) => `case when "c ""${oid}" is not null then format('%s', "c ""${oid}") end as c${oid}`).join(',')} from every_type order by id`,
    );
    expect(ours.length).toBe(theirs.length);
    for (const [i, row] of theirs.entries()) {
      for (const { type, oid } of kinds) {
        const [mine, text] = [ours[i][`c "${oid}`], row[`c${oid}`]];
        if (text === null) expect(mine).toBeNull();
        else if (type === 'bool') expect(mine).toBe(text === 't');
        else if (type.startsWith('json')) expect(mine).toEqual(JSON.parse(text));
        else if (typeof mine === 'number') expect(`${type} ${mine}`).toBe(`${type} ${Number(text)}`);
        else expect(`${type} ${mine}`).toBe(`${type} ${text}`);
        if (['int2', 'int4', 'oid'].includes(type) && text !== null) expect(typeof mine).toBe('number');
        if (type === 'int8' && text !== null)
          expect(typeof mine).toBe(Number.isSafeInteger(Number(text)) ? 'number' : 'string');
      }
    }
  });
});
