import { copySnapshot } from '@holdfast/testing/copy-snapshot';
import { MariadbServer } from '@holdfast/testing/servers/mariadb-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type MysqlSinkOptions,
  type MysqlSourceOptions,
  mysqlSink,
  mysqlSource,
} from '../../src/mysql/index.ts';
import { createTorture, normalised } from './torture.ts';

const missing = await MariadbServer.missing();

describe.skipIf(missing)('MariaDB, there and back', () => {
  let server: MariadbServer;
  beforeAll(async () => {
    server = await MariadbServer.start();
    process.env.HOLDFAST_TEST_PASSWORD = server.password;
    await createTorture(server, 'torture');
  }, 120_000);
  afterAll(() => server[Symbol.asyncDispose]());

  const access = (database: string) => ({
    host: server.socket,
    user: server.user,
    database,
    passwordEnv: 'HOLDFAST_TEST_PASSWORD',
  });

  async function restore(
    from: string,
    to: string,
    source: Partial<MysqlSourceOptions> = {},
    sink: Partial<MysqlSinkOptions> = {},
  ): Promise<readonly string[]> {
    const snapshot = await mysqlSource({ ...access(from), ...source }).open();
    const target = mysqlSink({ ...access(to), ...sink });
    try {
      await copySnapshot(snapshot, target);
    } finally {
      await snapshot.close();
    }
    return target.notes;
  }

  const FULL = [
    '--routines',
    '--events',
    '--triggers',
    '--hex-blob',
    '--single-transaction',
    '--order-by-primary',
  ];
  const dump = async (name: string): Promise<string> => normalised(await server.dump(name, FULL));

  test('every type and every kind of object: mariadb-dump sees no difference', async () => {
    await restore('torture', 'copy');
    expect(await dump('copy')).toBe(await dump('torture'));
  });

  test('the same by statements, where the server takes no files', async () => {
    await restore('torture', 'copy2', {}, { localInfile: false });
    expect(await dump('copy2')).toBe(await dump('torture'));
  });

  test('bytes that a dump would lose: floats, and text in charsets without a way back from Unicode', async () => {
    const bytes =
      'select id, h + 0e0 h, i, j * 1e0 j from numbers; select hex(sj) sj, hex(gb) gb, hex(c12) c12, en + 0 en from texts order by id';
    expect(await server.query(bytes, 'copy')).toEqual(await server.query(bytes, 'torture'));
    const numbers =
      'select hex(concat(h * 1e0)) h, concat(i) i, concat(j * 1e0) j, concat(k) k from numbers order by id';
    expect(await server.query(numbers, 'copy')).toEqual(await server.query(numbers, 'torture'));
  });

  test('a default that is a sequence takes from the new one', async () => {
    const next = 'show create table sequenced; select next_not_cached_value n from plain_sequence';
    const before = await server.query(next, 'torture');
    await server.query('insert into sequenced () values ()', 'copy');
    expect(await server.query(next, 'torture')).toEqual(before);
    expect((await server.query('show create table sequenced', 'copy'))[0]['Create Table']).toContain(
      'nextval(`copy`.`plain_sequence`)',
    );
  });

  test('foreign keys hold in the new database', async () => {
    await server.query('insert into children (parent) values (1)', 'copy');
    await expect(server.query('insert into children (parent) values (99)', 'copy')).rejects.toThrow(
      /foreign key/,
    );
    expect(
      await server.query(
        'select table_schema, referenced_table_schema from information_schema.key_column_usage where table_schema = "copy" and referenced_table_name is not null',
      ),
    ).toEqual(Array.from({ length: 2 }, () => ({ table_schema: 'copy', referenced_table_schema: 'copy' })));
  });
});
