import { Writable } from 'node:stream';
import { pathFromText } from '@holdfast/contracts';
import type { RowsColumn, RowsDescription } from '@holdfast/formats/rows';
import { describe, expect, it } from 'vitest';
import { exportSink } from '../../src/export/export-sink.ts';
import { encodeTuple } from '../../src/rows/tuple-splitter.ts';
import { describing, exported, headerOf, type RowsObject, writeAll } from './export-support.ts';

const column = (name: string, type: string, typeId: number): RowsColumn => ({
  name,
  type,
  typeId,
  encoding: 'text',
  notNull: false,
});

const rowsOf = (...rows: (string | null)[][]): Uint8Array =>
  Buffer.concat(
    rows.map((row) => encodeTuple(row.map((field) => (field === null ? null : Buffer.from(field))))),
  );

const people: RowsDescription = describing({
  table: 'people',
  columns: [column('id', 'bigint', 20), column('name', 'text', 25)],
  keyColumns: 1,
});
const two: RowsObject = {
  description: people,
  tuples: rowsOf(['1', 'Ann, "the" é'], ['2', null], ['3', '']),
};
const coded = (code: string) => expect.objectContaining({ code });

describe('an export', () => {
  it('to CSV tells null from an empty text', async () => {
    const csv = await exported([two], { format: 'csv' });
    expect(csv.toString()).toBe('id,name\r\n1,"Ann, ""the"" é"\r\n2,\r\n3,""\r\n');
  });

  it('to NDJSON keeps what numbers cannot hold as text', async () => {
    const description = describing({
      columns: [
        column('é"', 'bigint', 20),
        column('n', 'numeric', 1700),
        column('f', 'double precision', 701),
        column('j', 'json', 114),
        column('b', 'bytea', 17),
        column('t', 'boolean', 16),
        column('when', 'mood', 0),
      ],
    });
    const tuples = rowsOf(
      ['9007199254740991', '10.50', '1e+23', '{"a":\n 1.0}', '\\x00ff', 't', 'a"\n'],
      ['9007199254740992', '123456789.12345678', 'NaN', 'null', '\\x', 'f', null],
    );
    const ndjson = await exported([{ description, tuples }], { format: 'ndjson' });
    expect(ndjson.toString().split('\n')).toEqual([
      '{"é\\"":9007199254740991,"n":10.50,"f":1e+23,"j":{"a":  1.0},"b":"\\\\x00ff","t":true,"when":"a\\"\\n"}',
      '{"é\\"":"9007199254740992","n":"123456789.12345678","f":"NaN","j":null,"b":"\\\\x","t":false,"when":null}',
      '',
    ]);
  });

  it('to SQL closes a statement after 500 rows', async () => {
    const tuples = rowsOf(...Array.from({ length: 501 }, (_, i) => [String(i), "it's"]));
    const sql = (await exported([{ description: people, tuples }], { format: 'sql' })).toString();
    const insert = 'INSERT INTO "public"."people" ("id", "name") OVERRIDING SYSTEM VALUE VALUES\n';
    expect(sql.split(insert).length).toBe(3);
    expect(sql.endsWith(`(499, 'it''s');\n${insert}(500, 'it''s');\n`)).toBe(true);
  });

  it('of MySQL escapes backslashes and writes bytes as hex', async () => {
    const description = describing({
      dialect: 'mysql',
      schema: 'shop',
      table: 'a`b',
      columns: [
        column('n', 'int', 3),
        column('t', 'varchar(9)', 253),
        { ...column('b', 'varbinary(9)', 253), encoding: 'binary' },
        { ...column('s', 'bit(3)', 16), encoding: 'binary' },
      ],
    });
    const tuples = rowsOf(['-5', "\\'\0\r\n\x1a", "a'", '\u0001'], [null, '', '', null]);
    const sql = (await exported([{ description, tuples }], { format: 'sql' })).toString();
    expect(sql).toContain(
      "INSERT INTO `a``b` (`n`, `t`, `b`, `s`) VALUES\n(-5, '\\\\''\\0\\r\\n\\Z', X'6127', X'01'),\n(NULL, '', X'', NULL);\n",
    );
    const csv = await exported([{ description, tuples }], { format: 'csv' });
    expect(csv.toString()).toBe('n,t,b,s\r\n-5,"\\\'\0\r\n\x1a",0x6127,0x01\r\n,"",0x,\r\n');
  });

  it('goes on with the same table’s windows', async () => {
    const window = (label: string) => ({ label, column: 'id', from: null, to: null });
    const objects = ['2026-11', '2026-12'].map((label) => ({
      ...two,
      description: { ...people, window: window(label) },
    }));
    const csv = await exported(objects, { format: 'csv' });
    expect(csv.toString().match(/id,name/g)?.length).toBe(1);
    expect(csv.toString().split('\r\n').length).toBe(8);
  });

  it('leaves out rows that are not wanted', async () => {
    const keep = ([id]: readonly (Uint8Array | null)[], { table }: RowsDescription) =>
      table === 'people' && Buffer.from(id!).toString() !== '2';
    expect((await exported([two], { format: 'csv', keep })).toString()).toBe(
      'id,name\r\n1,"Ann, ""the"" é"\r\n3,""\r\n',
    );
  });

  it('writes the names of an empty table', async () => {
    const none = { description: people, tuples: new Uint8Array(0) };
    expect((await exported([none], { format: 'csv' })).toString()).toBe('id,name\r\n');
    expect((await exported([none], { format: 'ndjson' })).toString()).toBe('');
    expect((await exported([none], { format: 'sql' })).toString()).not.toContain('INSERT');
  });

  it('passes over what is no table', async () => {
    const sink = exportSink({
      format: 'csv',
      stream: new Writable({ write: (_chunk, _encoding, done) => done() }),
    });
    await sink.begin({ attributes: {} });
    const directory = { path: pathFromText('1-schema'), kind: 'schema', attributes: {} };
    expect(await sink.create({ ...directory, size: null })).toBeNull();
    const writer = await sink.create({ ...directory, size: 5 });
    await writer!.write(0, Buffer.from('hello'));
    await writer!.complete(5);
    await expect(sink.finish()).rejects.toThrow(coded('NOT_FOUND'));
  });
});

describe('an export of several tables', () => {
  const other: RowsObject = { ...two, description: { ...people, table: 'pets' } };
  const family: RowsObject = { ...two, description: { ...people, family: 'pii' } };

  it('is refused where rows would not be told apart', async () => {
    for (const format of ['csv', 'ndjson'] as const)
      await expect(exported([two, other], { format })).rejects.toThrow(coded('USAGE'));
    const sql = (await exported([two, other], { format: 'sql' })).toString();
    expect(sql.match(/INSERT INTO "public"."(people|pets)"/g)?.length).toBe(2);
  });

  it('says of which table each row is', async () => {
    const ndjson = (await exported([two, other], { format: 'ndjson', severalTables: true }))
      .toString()
      .split('\n');
    expect(ndjson[1]).toBe('{"table":"public.people","id":2,"name":null}');
    expect(ndjson[4]).toBe('{"table":"public.pets","id":2,"name":null}');
    const named = {
      ...other,
      description: { ...other.description, columns: [column('table', 'text', 25), column('b', 'text', 25)] },
    };
    await expect(exported([named], { format: 'ndjson', severalTables: true })).rejects.toThrow(
      coded('USAGE'),
    );
    const csv = (await exported([two, other], { format: 'csv', severalTables: true })).toString();
    expect(csv.split('\r\n\r\n').map((part) => part.split('\r\n')[0])).toEqual(['id,name', 'id,name']);
  });

  it('refuses two families of one table, but where each row says so', async () => {
    for (const format of ['csv', 'sql'] as const)
      await expect(exported([two, family], { format, severalTables: true })).rejects.toThrow(coded('USAGE'));
    await expect(exported([two, family], { format: 'ndjson' })).rejects.toThrow(coded('USAGE'));
    const ndjson = (await exported([two, family], { format: 'ndjson', severalTables: true }))
      .toString()
      .split('\n');
    expect(ndjson[3]).toContain('{"table":"public.people","family":"pii","id":1');
  });
});

describe('an export that cannot go on', () => {
  const silent = () => new Writable({ write: (_chunk, _encoding, done) => done() });

  it('refuses what makes no sense', async () => {
    const sink = exportSink({ format: 'csv', stream: silent() });
    await sink.begin({ attributes: {} });
    const header = headerOf(two, 'main');
    await expect(sink.create({ ...header, path: pathFromText('../up') })).rejects.toThrow(
      coded('FORMAT_INVALID'),
    );
    await expect(sink.create({ ...header, attributes: {} })).rejects.toThrow(coded('FORMAT_INVALID'));
    await expect(sink.create({ ...header, attributes: { rows: Buffer.from('no') } })).rejects.toThrow(
      coded('FORMAT_INVALID'),
    );
    const binary = {
      ...people,
      columns: [{ ...people.columns[0]!, typeId: 790, encoding: 'binary' as const }],
      keyColumns: 1,
    };
    await expect(sink.create(headerOf({ ...two, description: binary }, 'main'))).rejects.toThrow(
      coded('FORMAT_INVALID'),
    );
    await expect(sink.create(header, { signal: AbortSignal.abort() })).rejects.toThrow(coded('CANCELLED'));
    const writer = await sink.create(header);
    await writer!.write(0, two.tuples.subarray(0, 5));
    await expect(writer!.complete(5)).rejects.toThrow(coded('FORMAT_INVALID'));
    await expect(sink.finish({ signal: AbortSignal.abort() })).rejects.toThrow(coded('CANCELLED'));
    await sink.abort();
    await sink.abort();
  });

  it('holds back a fast writer', async () => {
    let release = () => {};
    const chunks: Buffer[] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        chunks.push(chunk);
        release = done;
      },
    });
    let finished = false;
    const done = writeAll(stream, [two], { format: 'csv' }, 1000).then(() => {
      finished = true;
    });
    await new Promise(setImmediate);
    // The names alone: the first row waits until they have gone.
    expect(Buffer.concat(chunks).toString()).toBe('id,name\r\n');
    while (!finished) {
      release();
      await new Promise(setImmediate);
    }
    await done;
    expect(Buffer.concat(chunks).toString().split('\r\n').length).toBe(5);
  });

  it('says so when the stream breaks', async () => {
    const stream = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('gone'), { code: 'EPIPE' })),
    });
    await expect(writeAll(stream, [two], { format: 'csv' }, 1000)).rejects.toThrow(
      coded('TARGET_UNWRITABLE'),
    );
  });
});
