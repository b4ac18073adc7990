import { MariadbServer } from '@holdfast/testing/servers/mariadb-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MysqlDatabaseSums, mysqlSource } from '../../src/mysql/index.ts';
import { access, readRows, restore } from './rig.ts';

const missing = await MariadbServer.missing();
const SCHEMA = `
  create table users (id int primary key, email varchar(50) not null unique, name varchar(20), phone varchar(20),
    seen timestamp not null default current_timestamp on update current_timestamp);
  insert into users values (3, 'c@x', 'c', null, '2020-01-01'), (1, 'a@x', 'a', '1', '2020-01-02'), (2, 'b@x', 'b', '2', '2020-01-03');
  create table messages (id bigint auto_increment primary key, at datetime(3), body text, secret varbinary(10));
  set sql_mode = 'ALLOW_INVALID_DATES';
  insert into messages (at, body, secret) values
    ('2026-11-30 23:59:59.999', 'last of November', 'x'), ('2026-12-01', 'first of December', x'00ff'), (null, 'never', null),
    ('0000-00-00', 'zero', ''), ('2026-00-00', 'no month', ''), ('2026-02-31', 'no day', ''), ('9999-12-31 23:59:59', 'the end', ''),
    ('2026-12-00', 'before December', ''), ('2027-01-01', 'ISO week 53', '');
  create table nobody (id int primary key, at date, x int, y int);
`;
const TIME = { messages: 'at', nobody: 'at' };
const FAMILIES = {
  users: { pii: ['email', 'phone'] },
  messages: { secrets: ['secret'] },
  nobody: { half: ['x'] },
};

describe.skipIf(missing)('MariaDB: families and windows', () => {
  let server: MariadbServer;
  beforeAll(async () => {
    server = await MariadbServer.start();
    await server.createDatabase('app');
    await server.query(SCHEMA, 'app');
  }, 120_000);
  afterAll(() => server[Symbol.asyncDispose]());

  const everything = async (database: string): Promise<unknown> => [
    await server.query('select * from users order by id', database),
    await server.query(
      'select id, concat(at) at, body, hex(secret) secret from messages order by id',
      database,
    ),
    await server.query('show create table users', database),
  ];

  test('windows hold each row once, whatever its date', async () => {
    const rows = await readRows({ ...access(server, 'app'), time: TIME });
    const found = Object.fromEntries(
      [...rows.values()]
        .filter(({ description }) => description.table === 'messages')
        .map((each) => [each.description.window?.label, each.rows.map((row) => row[2])]),
    );
    expect(found).toEqual({
      '2025-12': ['no month'],
      '2026-02': ['no day'],
      '2026-11': ['last of November', 'before December'],
      '2026-12': ['first of December'],
      '2027-01': ['ISO week 53'],
      '9999-12': ['the end'],
      none: ['never', 'zero'],
    });
  });

  test('weeks are those of ISO 8601, and days are days', async () => {
    const labels = async (window: 'week' | 'day'): Promise<unknown[]> => {
      const rows = await readRows({
        ...access(server, 'app'),
        include: ['messages'],
        time: { messages: { column: 'at', window } },
      });
      return [...rows.values()].map(({ description: { window }, rows }) => [
        window?.label,
        window?.from,
        rows.length,
      ]);
    };
    expect(await labels('week')).toEqual([
      ['2026-W01', '2025-12-29 00:00:00', 1],
      ['2026-W09', '2026-02-23 00:00:00', 1],
      ['2026-W49', '2026-11-30 00:00:00', 3],
      ['2026-W53', '2026-12-28 00:00:00', 1],
      ['9999-W52', '9999-12-27 00:00:00', 1],
      ['none', null, 2],
    ]);
    expect(await labels('day')).toEqual([
      ['2025-12-31', '2025-12-31 00:00:00', 1],
      ['2026-02-28', '2026-02-28 00:00:00', 1],
      ['2026-11-30', '2026-11-30 00:00:00', 2],
      ['2026-12-01', '2026-12-01 00:00:00', 1],
      ['2027-01-01', '2027-01-01 00:00:00', 1],
      ['9999-12-31', '9999-12-31 00:00:00', 1],
      ['none', null, 2],
    ]);
  });

  test('families share keys, and labels say whose they are', async () => {
    const rows = await readRows({ ...access(server, 'app'), families: FAMILIES, time: TIME });
    const users = [...rows.values()].filter(({ description }) => description.table === 'users');
    expect(
      users.map(({ path, object, rows, description }) => [
        path,
        object.label,
        description.columns.map(({ name }) => name),
        rows.length,
      ]),
    ).toEqual([
      [
        '2-rows/app/users/family-pii/all/rows',
        { name: 'users.pii.all', kind: 'column', group: 'users.all' },
        ['id', 'email', 'phone'],
        3,
      ],
      [
        '2-rows/app/users/main/all/rows',
        { name: 'users.main.all', kind: 'row', group: 'users.all' },
        ['id', 'name', 'seen'],
        3,
      ],
    ]);
    const nobody = [...rows.values()].filter(({ description }) => description.table === 'nobody');
    expect(nobody.map(({ path, object }) => [path, object.size])).toEqual([
      ['2-rows/app/nobody/main/all/rows', 0],
    ]);
  });

  test('what is divided comes together again', async () => {
    await restore(server, 'app', 'whole', { source: { families: FAMILIES, time: TIME } });
    expect(await everything('whole')).toEqual(await everything('app'));
  });

  test('a family is left out, and put back later', async () => {
    const source = { families: FAMILIES, time: TIME };
    const putBack = (overwrite = false): Promise<unknown> =>
      restore(server, 'app', 'partly', { source, sink: { putBack: ['users.pii'], overwrite } });
    const users = (): Promise<unknown[]> =>
      server.query(
        'select id, email, name, phone, date(seen) seen from users where id < 9 order by id',
        'partly',
      );
    const notes = await restore(server, 'app', 'partly', { source, sink: { without: ['users.pii'] } });
    expect(notes).toEqual(['Table users: family pii was left out; its columns are null']);
    expect((await users()).map((row) => Object.values(row as object).slice(0, 4))).toEqual([
      [1, null, 'a', null],
      [2, null, 'b', null],
      [3, null, 'c', null],
    ]);
    await server.query(
      `delete from users where id = 2; insert into users (id, name) values (9, 'new');
       update users set name = 'edited', email = 'mine', seen = seen where id = 3`,
      'partly',
    );
    await putBack();
    const first = { id: 1, email: 'a@x', name: 'a', phone: '1', seen: '2020-01-02' };
    const third = { id: 3, name: 'edited', phone: null, seen: '2020-01-01' };
    expect(await users()).toEqual([first, { ...third, email: 'mine' }]);
    await putBack(true);
    expect(await users()).toEqual([first, { ...third, email: 'c@x' }]);
    const strict = async (): Promise<boolean> => {
      const [{ 'Create Table': create }] = await server.query('show create table users', 'partly');
      return /`email` varchar\(50\) NOT NULL/.test(create);
    };
    expect(await strict()).toBe(false);
    await server.query('delete from users where id = 9', 'partly');
    await putBack();
    expect(await strict()).toBe(true);
  });

  test('refuses a family that the snapshot does not have', async () => {
    const restoring = restore(server, 'app', 'odd', {
      source: { families: FAMILIES },
      sink: { without: ['users.pi'] },
    });
    await expect(restoring).rejects.toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(await server.query("show databases like 'odd%'")).toEqual([]);
  });

  test('one table of many is restored alone', async () => {
    const notes = await restore(server, 'app', 'one', {
      without: (path) => path.startsWith('2-') && !path.includes('/users/'),
    });
    expect(notes).toHaveLength(1);
    expect((await server.query('show tables', 'one')).length).toBe(1);
  });

  test('sums of a restored database are those of the snapshot, until a row differs', async () => {
    const rowKey = new Uint8Array(32).fill(7);
    await restore(server, 'app', 'drill', { source: { families: FAMILIES, time: TIME } });
    const recorded = [
      ...(await readRows({ ...access(server, 'app'), families: FAMILIES, time: TIME }, rowKey)).values(),
    ];
    const sums = async (): Promise<unknown[]> => {
      const found = [];
      await using database = await MysqlDatabaseSums.connect(access(server, 'drill'));
      for (const { description } of recorded) {
        const { rows, checksum } = await database.of(description, rowKey);
        found.push([rows, Buffer.from(checksum).toString('hex')]);
      }
      return found;
    };
    const expected = recorded.map(({ index }) => [index.rows, Buffer.from(index.checksum).toString('hex')]);
    expect(await sums()).toEqual(expected);
    await server.query("update users set phone = '' where id = 3", 'drill');
    expect(await sums()).not.toEqual(expected);
  });

  test.each([
    [{ include: ['userz'] }, /userz/],
    [{ families: { users: { pii: ['id'] } } }, /part of the key/],
    [{ families: { users: { pii: ['mail'] } } }, /does not have/],
    [{ families: { users: { a: ['email'], b: ['email'] } } }, /another family/],
    [{ time: { users: 'name' } }, /DATE, DATETIME or TIMESTAMP/],
    [{ time: { ghosts: 'at' } }, /ghosts/],
  ])('refuses a configuration that cannot be meant: %j', async (options, message) => {
    const opening = mysqlSource({ ...access(server, 'app'), ...options }).open();
    await expect(opening).rejects.toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }),
    );
  });
});
