import { displayPath, MAX_ROW_BYTES, type RowReader } from '@holdfast/contracts';
import { readWhole } from '@holdfast/testing/copy-snapshot';
import { MariadbServer } from '@holdfast/testing/servers/mariadb-server';
import { describeSourceContract } from '@holdfast/testing/source-contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MysqlSourceOptions, mysqlSource } from '../../src/mysql/index.ts';
import { LOSSLESS_CHARSETS } from '../../src/mysql/read/column-forms.ts';
import { BACKUP_STAGES, READ_LOCK } from '../../src/mysql/read/snapshot-connections.ts';
import { access, readRows, readTable } from './rig.ts';

const missing = await MariadbServer.missing();
const coded = (code: string, message?: RegExp): unknown =>
  expect.objectContaining(message ? { code, message: expect.stringMatching(message) } : { code });
const MANY = 'insert into big select seq, repeat(char(64 + seq % 26), 1000) from seq_1_to_20000';

describe.skipIf(missing)('MariaDB as a source', () => {
  let server: MariadbServer;
  beforeAll(async () => {
    server = await MariadbServer.start({ settings: { 'log-bin': 'binlog' } });
    await server.createDatabase('app');
    await server.query(
      `create table small (id int primary key, t varchar(20)); insert into small values (2, 'b'), (1, 'a'), (3, null);
       create table big (id int primary key, t text); ${MANY};
       create table altered (id int primary key); insert into altered values (1), (2);`,
      'app',
    );
  }, 120_000);
  afterAll(() => server[Symbol.asyncDispose]());

  const source = (database = 'app', options: Partial<MysqlSourceOptions> = {}) =>
    mysqlSource({ ...access(server, database), ...options });

  describeSourceContract('mysql', async () => {
    const expected = new Map<string, Uint8Array>();
    const options = { include: ['small'], connections: 2 };
    const snapshot = await source('app', options).open();
    for await (const object of snapshot.objects()) {
      const reader = await object.open();
      expected.set(displayPath(object.path), await readWhole(reader, new Uint8Array(300_000)));
      await reader.close();
    }
    await snapshot.close();
    return { source: source('app', options), expected, cleanUp: async () => undefined };
  });

  test('rows come in the order of the key, told apart', async () => {
    const rows = await readRows({ ...access(server, 'app'), include: ['small'] });
    const small = rows.get('2-rows/app/small/main/all/rows')!;
    expect(small.rows).toEqual([
      ['1', 'a'],
      ['2', 'b'],
      ['3', null],
    ]);
    expect(small.index).toMatchObject({ rows: 3, samples: [{ offset: 0, row: 0 }] });
  });

  test('a reader that is closed early leaves the connection for the next', async () => {
    const snapshot = await source('app', { connections: 1 }).open();
    try {
      let read = 0;
      for await (const object of snapshot.objects()) {
        if (object.kind !== 'rows') continue;
        const reader = (await object.open()) as RowReader;
        const result = await reader.readRows(new Uint8Array(MAX_ROW_BYTES));
        expect(result.kind).toBe('rows');
        await reader.close();
        read++;
      }
      expect(read).toBe(3);
    } finally {
      await snapshot.close();
    }
  });

  test('rows that nobody asks for stay on the server', async () => {
    await server.query(
      `create or replace table huge (id int primary key, t longtext);
      insert into huge select seq, repeat('x', 100000) from seq_1_to_600`,
      'app',
    );
    const snapshot = await source('app', { include: ['huge'] }).open();
    for await (const object of snapshot.objects()) {
      if (object.kind !== 'rows') continue;
      const reader = (await object.open()) as RowReader;
      await reader.readRows(new Uint8Array(MAX_ROW_BYTES));
      const before = process.memoryUsage().arrayBuffers;
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
      const [{ state }] = await server.query(
        "select state from information_schema.processlist where info like 'SELECT SQL_NO_CACHE%huge%' and info not like '%processlist%'",
      );
      expect(state).toMatch(/writing|sending/i);
      await reader.close();
    }
    await snapshot.close();
    await server.query('drop table huge', 'app');
  });

  describe.each([
    ['backup stages', { pause: BACKUP_STAGES, connections: 3 }],
    ['read lock', { pause: READ_LOCK, connections: 3 }],
    ['one connection', { connections: 1 }],
  ])('one moment, by %s', (_name, options) => {
    test('money moves between tables all the time, and its sum stays', async () => {
      await server.query(
        'create or replace table a (id int primary key, v int); create or replace table b like a; create or replace table c like a; insert into a select seq, 100 from seq_1_to_50; insert into b select * from a; insert into c select * from a',
        'app',
      );
      const stop = new AbortController();
      const writers = [1, 2, 3].map(async (seed) => {
        const connection = await server.connect('app');
        for (let i = seed; !stop.signal.aborted; i++) {
          const [from, to] = i % 2 ? ['a', 'c'] : ['c', 'b'];
          await connection
            .query(
              `begin; update ${from} set v = v - 7 where id = ${1 + (i % 50)}; update ${to} set v = v + 7 where id = ${1 + ((i * 7) % 50)}; commit`,
            )
            .catch(() => connection.query('rollback'));
          await connection
            .query(
              `begin; update b set v = v - 1 where id = ${1 + (i % 50)}; update a set v = v + 1 where id = ${1 + (i % 50)}; commit`,
            )
            .catch(() => connection.query('rollback'));
        }
        await connection.end();
      });
      try {
        for (let round = 0; round < 5; round++) {
          const rows = await readRows({ ...access(server, 'app'), include: ['a', 'b', 'c'], ...options });
          const values = [...rows.values()].flatMap((each) => each.rows.map((row) => Number(row[1])));
          expect(values.length).toBe(150);
          expect(values.reduce((sum, value) => sum + value, 0)).toBe(15_000);
        }
      } finally {
        stop.abort();
        await Promise.all(writers);
      }
    });
  });

  test('a statement that takes long, and a transaction that stays open, are not waited for', async () => {
    const idle = await server.connect('app');
    const writer = await server.connect('app');
    await idle.query("begin; update small set t = 'open' where id = 1");
    let over = false;
    const long = writer.query("update small set t = 'behind it' where id = 1").then(() => {
      over = true;
    });
    const rows = await readRows({ ...access(server, 'app'), include: ['small'], connections: 2 });
    expect(rows.get('2-rows/app/small/main/all/rows')!.rows[0]).toEqual(['1', 'a']);
    expect(over).toBe(false);
    await idle.query('rollback');
    await long;
    await writer.query("update small set t = 'a' where id = 1");
    await Promise.all([writer.end(), idle.end()]);
  });

  test.each([
    ['altered', 'alter table altered add column x int default 5'],
    ['rebuilt', 'alter table altered engine = innodb, force'],
    ['dropped', 'drop table altered'],
    ['emptied', 'truncate altered'],
    [
      'swapped',
      'do sleep(1.1); create table other like altered; rename table altered to third, other to altered',
    ],
  ])('a table that is %s meanwhile is an error that names it', async (_how, statement) => {
    await server.query(
      'create or replace table altered (id int primary key); insert into altered values (1), (2); drop table if exists third',
      'app',
    );
    const snapshot = await source().open();
    try {
      await server.query(statement, 'app');
      await expect(readTable(snapshot, 'altered')).rejects.toThrow(coded('SOURCE_CHANGED', /altered/));
    } finally {
      await snapshot.close();
    }
    await server.query(
      'create or replace table altered (id int primary key); drop table if exists third',
      'app',
    );
  });

  test('migrations wait for the table that is read, and for no other', async () => {
    const snapshot = await source('app', { connections: 1 }).open();
    try {
      await server.query("set lock_wait_timeout = 2; alter table small comment 'changed'", 'app');
      expect((await readTable(snapshot, 'big')).length).toBeGreaterThan(20_000_000);
      await server.query("set lock_wait_timeout = 2; alter table big comment 'changed'", 'app');
    } finally {
      await snapshot.close();
    }
  });

  test('engines without transactions are refused, locked or allowed', async () => {
    await server.query(
      'create database mixed; create table mixed.isam (id int) engine = MyISAM; create table mixed.crash (id int) engine = Aria; create table mixed.hash (id int) engine = memory; insert into mixed.isam values (1); insert into mixed.hash values (1)',
    );
    await expect(source('mixed').test()).rejects.toThrow(
      coded('SOURCE_UNREADABLE', /crash \(Aria\), hash \(MEMORY\), isam \(MyISAM\)/),
    );
    await expect(source('mixed').open()).rejects.toThrow(coded('SOURCE_UNREADABLE', /isam/));
    expect((await readRows({ ...access(server, 'mixed'), nonTransactional: 'allow' })).size).toBe(3);
    await expect(source('mixed', { exclude: ['isam', 'mixed.cr*', 'h?sh'] }).test()).resolves.toBeTruthy();
    const locked = await source('mixed', { nonTransactional: 'lock' }).open();
    await expect(
      server.query('set lock_wait_timeout = 1; insert into isam values (2)', 'mixed'),
    ).rejects.toThrow(/Lock wait timeout/);
    expect((await readTable(locked, 'isam')).length).toBe(7);
    await locked.close();
    await server.query('insert into isam values (2)', 'mixed');
  });

  test('prefers TLS, and does without where there is none', async () => {
    await expect(source('app', { host: server.host, port: server.port }).test()).resolves.toMatchObject({
      kind: 'mysql',
    });
  });

  test('charsets that are read as text give each byte back', async () => {
    const charsets = await server.query(
      'select character_set_name name, maxlen from information_schema.character_sets',
    );
    for (const { name, maxlen } of charsets.filter(
      (each) => LOSSLESS_CHARSETS.has(each.name) && each.maxlen === 1 && each.name !== 'ascii',
    )) {
      const [row] = await server.query(
        `select sum(hex(convert(convert(convert(char(seq) using ${name}) using utf8mb4) using ${name})) <> hex(char(seq))) lost from seq_0_to_255`,
        'app',
      );
      expect([name, maxlen, Number(row.lost)]).toEqual([name, 1, 0]);
    }
  });
});
