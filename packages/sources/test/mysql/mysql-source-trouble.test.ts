import { MAX_ROW_BYTES, type RowReader } from '@holdfast/contracts';
import { MariadbServer } from '@holdfast/testing/servers/mariadb-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MysqlSourceOptions, mysqlSink, mysqlSource } from '../../src/mysql/index.ts';
import { access, readRows, readTable } from './rig.ts';

const missing = await MariadbServer.missing();
const coded = (code: string, message?: RegExp): unknown =>
  expect.objectContaining(message ? { code, message: expect.stringMatching(message) } : { code });
const hinted = (code: string, hint: RegExp): unknown =>
  expect.objectContaining({ code, hint: expect.stringMatching(hint) });

describe.skipIf(missing)('MariaDB as a source, in trouble', () => {
  let server: MariadbServer;
  beforeAll(async () => {
    server = await MariadbServer.start();
    await server.createDatabase('app');
    await server.query(
      `create table small (id int primary key, t varchar(20)); insert into small values (1, 'a');
       create table big (id int primary key, t text);
       insert into big select seq, repeat(char(64 + seq % 26), 1000) from seq_1_to_20000`,
      'app',
    );
  }, 120_000);
  afterAll(() => server[Symbol.asyncDispose]());

  const source = (database = 'app', options: Partial<MysqlSourceOptions> = {}) =>
    mysqlSource({ ...access(server, database), ...options });

  test('rights that are lacking are named, with the GRANT that helps', async () => {
    await server.query(
      "create function app.f() returns int no sql return 1; create user thin@localhost identified by 'p'; grant select on app.small to thin@localhost",
    );
    process.env.HOLDFAST_TEST_THIN = 'p';
    const thin = mysqlSource({
      ...access(server, 'app'),
      user: 'thin',
      passwordEnv: 'HOLDFAST_TEST_THIN',
      connections: 3,
    });
    const refusal = (hint: RegExp): Promise<unknown> =>
      expect(thin.open()).rejects.toThrow(hinted('SOURCE_UNREADABLE', hint));
    await refusal(/GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `app`\.\*/);
    await server.query('grant select, show view, event on app.* to thin@localhost');
    await refusal(/GRANT TRIGGER ON/);
    await server.query('grant trigger on app.* to thin@localhost');
    await refusal(/GRANT EXECUTE ON/);
    await server.query('grant execute on app.* to thin@localhost');
    await refusal(/GRANT SELECT ON `mysql`\.`proc`/);
    await server.query('grant select on mysql.proc to thin@localhost');
    // No RELOAD: one connection does.
    const snapshot = await thin.open();
    expect((await readTable(snapshot, 'small')).length).toBeGreaterThan(0);
    await snapshot.close();
  });

  test.each([
    ['wrong password', { passwordEnv: 'HOLDFAST_TEST_WRONG' }, /refuses root: wrong password/],
    ['no such database', { database: 'nowhere' }, /has no database nowhere/],
    ['nobody listens', { host: '127.0.0.1', port: 1 }, /does not answer/],
    ['no such socket', { host: '/nonexistent/sock' }, /no such socket/],
    [
      'no TLS where it is demanded',
      { host: '127.0.0.1', tls: { mode: 'require' as const } },
      /offers no TLS/,
    ],
  ])('%s', async (_name, options, message) => {
    process.env.HOLDFAST_TEST_WRONG = 'not the secret';
    const at = 'host' in options && !('port' in options) ? { port: server.port } : {};
    const opening = mysqlSource({ ...access(server, 'app'), ...at, ...options }).test();
    await expect(opening).rejects.toThrow(coded('SOURCE_UNREADABLE', message));
    const error = await opening.catch((caught: Error) => caught);
    expect(JSON.stringify([error, (error as Error).message, String((error as Error).cause)])).not.toMatch(
      /not the secret|quiet harbour/,
    );
  });

  test('rights that a restore lacks are named too', async () => {
    await server.query(
      "create user narrow@localhost identified by 'p'; grant all on narrow.* to narrow@localhost",
    );
    process.env.HOLDFAST_TEST_THIN = 'p';
    const narrow = { ...access(server, 'narrow'), user: 'narrow', passwordEnv: 'HOLDFAST_TEST_THIN' };
    await expect(mysqlSink(narrow).begin({ attributes: {} })).rejects.toThrow(
      hinted('TARGET_UNWRITABLE', /_holdfast_partial/),
    );
  });

  test('too many connections', async () => {
    const first = await server.connect();
    await first.query('set global max_connections = 10');
    const taken = [first];
    try {
      for (;;) taken.push(await server.connect());
    } catch {
      // None is left.
    }
    try {
      const thin = { user: 'thin', passwordEnv: 'HOLDFAST_TEST_THIN' };
      await expect(source('app', thin).open()).rejects.toThrow(
        coded('SOURCE_UNREADABLE', /no connection left/),
      );
    } finally {
      await first.query('set global max_connections = 151');
      await Promise.all(taken.map((each) => each.end()));
    }
  });

  test('a connection that is killed midway is an error, not an end', async () => {
    const snapshot = await source('app', { include: ['big'] }).open();
    try {
      for await (const object of snapshot.objects()) {
        if (object.kind !== 'rows') continue;
        const reader = (await object.open()) as RowReader;
        await reader.readRows(new Uint8Array(MAX_ROW_BYTES));
        const [{ id }] = await server.query(
          "select id from information_schema.processlist where info like 'SELECT SQL_NO_CACHE%'",
        );
        await server.query(`kill ${id}`);
        const rest = async (): Promise<void> => {
          for (;;) if ((await reader.readRows(new Uint8Array(MAX_ROW_BYTES))).kind === 'end') return;
        };
        await expect(rest()).rejects.toThrow(coded('SOURCE_UNREADABLE', /big/));
        await reader.close();
        break;
      }
      await expect(readTable(snapshot, 'big')).rejects.toThrow(coded('SOURCE_UNREADABLE'));
    } finally {
      await snapshot.close();
    }
  });

  test('an abort ends a read that waits for the server', async () => {
    const lock = await server.connect('app');
    const snapshot = await source('app', { include: ['small'], connections: 1 }).open();
    await lock.query('lock tables small write');
    try {
      for await (const object of snapshot.objects()) {
        if (object.kind !== 'rows') continue;
        const reader = await object.open();
        await expect(reader.read(new Uint8Array(100), { signal: AbortSignal.timeout(200) })).rejects.toThrow(
          coded('CANCELLED'),
        );
        await reader.close();
        break;
      }
    } finally {
      await snapshot.close();
      await lock.end();
    }
  });

  test('a server that dies midway is an error, and the next run works', async () => {
    const snapshot = await source('app', { include: ['big'] }).open();
    for await (const object of snapshot.objects()) {
      if (object.kind !== 'rows') continue;
      const reader = (await object.open()) as RowReader;
      await reader.readRows(new Uint8Array(MAX_ROW_BYTES));
      await server.kill();
      const rest = async (): Promise<void> => {
        for (;;) if ((await reader.readRows(new Uint8Array(MAX_ROW_BYTES))).kind === 'end') return;
      };
      await expect(rest()).rejects.toThrow(coded('SOURCE_UNREADABLE', /went away/));
      await reader.close();
      break;
    }
    await snapshot.close();
    await expect(source().open()).rejects.toThrow(coded('SOURCE_UNREADABLE'));
    await server.resume();
    expect((await readRows({ ...access(server, 'app'), include: ['small'] })).size).toBe(1);
  });
});
