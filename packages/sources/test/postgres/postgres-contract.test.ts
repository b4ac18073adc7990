import { comparePaths, displayPath, pathFromText } from '@holdfast/contracts';
import { encodeRowsIndex } from '@holdfast/formats/rows';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { describeSourceContract, type SourceHarness } from '@holdfast/testing/source-contract';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { postgresSource } from '../../src/postgres/postgres-source.ts';
import { TupleIntake } from '../../src/rows/tuple-intake.ts';
import { optionsFor, readSnapshot } from './read-snapshot.ts';

const tuple = (...fields: (Buffer | null)[]): Buffer => {
  const count = Buffer.alloc(2);
  count.writeUInt16BE(fields.length);
  const parts = fields.flatMap((field) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(field === null ? -1 : field.length);
    return field === null ? [length] : [length, field];
  });
  return Buffer.concat([count, ...parts]);
};

const int4 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

const text = (value: string): Buffer => Buffer.from(value, 'utf8');

function indexOf(rows: readonly Buffer[], fields: number, keyFields: number): Uint8Array {
  const intake = new TupleIntake({ format: 'tuples', fields, keyFields, rowKey: new Uint8Array(32) });
  const buffer = new Uint8Array(1024 * 1024);
  for (const row of rows) {
    for (let at = 0; at < row.length; ) {
      at += intake.push(row.subarray(at));
      while (intake.take(buffer));
    }
  }
  intake.end();
  return encodeRowsIndex(intake.index());
}

const PEOPLE = Array.from({ length: 3000 }, (_, i) =>
  tuple(int4(i), i % 7 === 0 ? null : text(`person ${i} é\t\\`)),
);
const LONG = [tuple(text('k'), Buffer.alloc(700_000, 0x61))];
const MOODS = [tuple(text('sad'), text('a\tb\\N')), tuple(text('ok'), null)];

describe.each([15, 13] as const)('postgres %i', async (major) => {
  const missing = await PostgresServer.missing(major);
  if (missing) {
    test.skip(missing);
    return;
  }
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start({ major });
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  let databases = 0;
  describeSourceContract(`postgres ${major}`, async (): Promise<SourceHarness> => {
    const database = `contract${databases++}`;
    await server.createDatabase(database);
    await server.query(
      `create table people (id int primary key, name text);
       insert into people select i, case when i % 7 <> 0 then 'person ' || i || E' é\\t\\\\' end from generate_series(2999, 0, -1) i;
       create table long (k text primary key, v text); insert into long values ('k', repeat('a', 700000));
       create type mood as enum ('sad', 'ok');
       create table moods (m mood primary key, note text); insert into moods values ('ok', null), ('sad', E'a\\tb\\\\N');
       create table "Empty.%/" (a int);
       create sequence numbers start 5; select nextval('numbers');`,
      database,
    );
    const source = postgresSource(await optionsFor(server, database));
    const own = await readSnapshot(await source.open());
    const expected = new Map<string, Uint8Array>();
    for (const path of ['1-schema/archive', '1-schema/facts']) expected.set(path, own.get(path)!.content);
    const add = (name: string, rows: Buffer[], fields: number, keyFields: number): void => {
      expected.set(`2-rows/public/${name}/main/all/rows`, Buffer.concat(rows));
      expected.set(`2-rows/public/${name}/main/all/rows-index`, indexOf(rows, fields, keyFields));
    };
    add('people', PEOPLE, 2, 1);
    add('long', LONG, 2, 1);
    add('moods', MOODS, 2, 1);
    add('Empty%2E%25%2F', [], 1, 0);
    expected.set(
      '4-sequences',
      Buffer.from('[{"schema":"public","name":"numbers","last":"5","called":true}]'),
    );
    const ordered = Array.from(expected).toSorted(([a], [b]) =>
      comparePaths(pathFromText(a), pathFromText(b)),
    );
    return {
      source,
      expected: new Map(ordered.map(([path, content]) => [displayPath(pathFromText(path)), content])),
      cleanUp: async () => {},
    };
  });
});
