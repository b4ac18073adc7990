import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyTextOf } from '../../src/rows/copy-text.ts';
import { TupleIntake } from '../../src/rows/tuple-intake.ts';
import { fieldsOf } from '../../src/rows/tuple-splitter.ts';
import { rawCopyIn, rawCopyOut } from './raw-copy.ts';
import { drained } from './row-streams.ts';

const missing = await PostgresServer.missing();

describe.skipIf(missing)('streams of a real server', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start();
    await server.query(`
      create table plain (id int primary key, body text, data bytea);
      insert into plain select i, case when i % 7 = 0 then null else repeat(chr(1 + i % 300) || e'\\t\\\\N\\\\.\\n', i % 50) end,
        case when i % 5 = 0 then null else decode(repeat(lpad(to_hex(i % 256), 2, '0'), i % 100), 'hex') end
        from generate_series(1, 5000) i;
      create table giants (id int primary key, body text);
      insert into giants values (1, repeat('x', 300000)), (2, 'short'), (3, repeat(e'\\\\\\t', 2000000)), (4, null);
      create table nothing (id int, body text);
      create table bare ();
      insert into bare select from generate_series(1, 1000);
      create table marks (body text);
      insert into marks values ('\\.'), ('\\N'), ('N'), ('.'), (''), (null)`);
    const wide = Array.from({ length: 1600 }, (_, i) => i);
    await server.query(`create table wide (${wide.map((i) => `c${i} int2`).join(',')});
      insert into wide values (${wide.join(',')}), (${wide.map(() => 'null').join(',')})`);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const copied = async (from: string, format: 'binary' | 'text', fields: number, chunk: number) => {
    const raw = await rawCopyOut(server, `copy (select * from ${from}) to stdout (format ${format})`);
    const intake = new TupleIntake({
      format: `copy-${format}`,
      fields,
      keyFields: 0,
      rowKey: Buffer.alloc(32),
    });
    const done = raw.lastIndexOf(Buffer.from('c\0\0\0\x04'));
    const pieces = [];
    for (let at = 0; at < done; at += chunk) pieces.push(raw.subarray(at, Math.min(done, at + chunk)));
    const { rows, giants } = drained(intake, pieces);
    expect(intake.push(raw.subarray(done))).toBe(0);
    expect(intake.atOther).toBe(true);
    return { rows: rows.flatMap((row) => [...fieldsOf(row, fields)]), tuples: Buffer.concat(rows), giants };
  };

  /** What the server itself says the fields' bytes are. */
  const sent = async (from: string, columns: readonly string[]): Promise<(Buffer | null)[][]> => {
    const rows = await server.query(`select ${columns.map((c, i) => `${c} c${i}`).join(',')} from ${from}`);
    return rows.map((row) => columns.map((_, i) => row[`c${i}`] as Buffer | null));
  };
  const buffers = (rows: (Uint8Array | null)[][]) =>
    rows.map((row) => row.map((field) => field && Buffer.from(field)));
  const utf8 = (column: string) => `convert_to(${column}::text, 'UTF8')`;

  const TABLES: [string, string[], string[]][] = [
    ['plain order by id', ['int4send(id)', 'textsend(body)', 'byteasend(data)'], ['id', 'body', 'data']],
    ['giants order by id', ['int4send(id)', 'textsend(body)'], ['id', 'body']],
    ['nothing', ['int4send(id)', 'textsend(body)'], ['id', 'body']],
    ['marks', ['textsend(body)'], ['body']],
  ];

  it.each(TABLES)('%s', async (from, binary, text) => {
    for (const chunk of [1 << 20, 4097]) {
      expect(buffers((await copied(from, 'binary', binary.length, chunk)).rows)).toEqual(
        await sent(from, binary),
      );
      expect(buffers((await copied(from, 'text', text.length, chunk)).rows)).toEqual(
        await sent(from, text.map(utf8)),
      );
    }
  });

  it('of tables without columns, and with as many as there can be', async () => {
    for (const format of ['binary', 'text'] as const) {
      const bare = await rawCopyOut(server, `copy bare to stdout (format ${format})`);
      const intake = new TupleIntake({
        format: `copy-${format}`,
        fields: 0,
        keyFields: 0,
        rowKey: Buffer.alloc(32),
      });
      expect(
        drained(intake, [bare.subarray(0, bare.lastIndexOf(Buffer.from('c\0\0\0\x04')))]).rows.length,
      ).toBe(1000);
    }
    const { rows } = await copied('wide', 'text', 1600, 1000);
    expect(rows[0]!.map((field) => Buffer.from(field!).toString())).toEqual(rows[0]!.map((_, i) => `${i}`));
    expect(rows[1]!.every((field) => field === null)).toBe(true);
    const binary = await copied('wide', 'binary', 1600, 1000);
    expect(binary.rows[0]!.map((field) => Buffer.from(field!).readInt16BE())).toEqual(
      rows[0]!.map((_, i) => i),
    );
  });

  it('go back as text, and give the same table', async () => {
    for (const [from, fields] of [
      ['plain', 3],
      ['giants', 2],
      ['marks', 1],
    ] as const) {
      // biome-ignore format: short
      const { tuples, giants } = await copied(from, 'text', fields, 100_000);
      expect(giants.length > 0).toBe(from === 'giants');
      await server.query(`create table back_${from} (like ${from})`);
      await rawCopyIn(server, `copy back_${from} from stdin`, copyTextOf(tuples, fields));
      const [{ count }] = await server.query(
        `select count(*) from (select * from ${from} except all select * from back_${from}) x`,
      );
      const [sizes] = await server.query(
        `select (select count(*) from ${from}) a, (select count(*) from back_${from}) b`,
      );
      expect([Number(count), sizes.a]).toEqual([0, sizes.b]);
    }
  });
});
