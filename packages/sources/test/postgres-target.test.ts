import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ServerAccess } from '../src/postgres/restore/server-access.ts';
import { besideName, TargetDatabase } from '../src/postgres/restore/target-database.ts';
import { coded, databases, serverOptions } from './postgres-restore-helpers.ts';

const missing = await PostgresServer.missing();
const LOCALE = { encoding: 'UTF8', collation: 'C' };

describe.skipIf(missing !== null)('a database in the making', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const check = async (database: string): Promise<TargetDatabase> =>
    TargetDatabase.check(await ServerAccess.of(serverOptions(server)), {
      database,
      overwrite: true,
      create: true,
      terminateSessions: false,
      maintenanceDatabase: 'postgres',
    });
  const mark = (database: string, name: string): Promise<unknown> =>
    server.query(`CREATE TABLE ${name} (id int)`, database);
  const marks = async (database: string): Promise<string[]> =>
    (await server.query("SELECT relname FROM pg_class WHERE relkind = 'r' AND oid >= 16384", database)).map(
      ({ relname }) => relname,
    );

  test('a run that was taken over puts neither its own nor the other one in place', async () => {
    await server.createDatabase('a');
    await mark('a', 'old');
    const stalled = await check('a');
    await stalled.create(LOCALE);
    const later = await check('a');
    await later.create(LOCALE);
    await mark(later.partialName, 'unfinished');
    await expect(stalled.swap()).rejects.toThrow(coded('TARGET_UNWRITABLE', /taken over/));
    await stalled.discard();
    expect(await marks('a')).toEqual(['old']);
    expect(await marks(later.partialName)).toEqual(['unfinished']);
    await later.swap();
    expect(await marks('a')).toEqual(['unfinished']);
    expect(await databases(server)).toEqual(['a']);
  });

  test('what earlier runs left is removed, but never the only copy', async () => {
    await server.createDatabase('b.holdfast-partial');
    await server.createDatabase('b.old.holdfast-partial');
    const first = await check('b');
    await first.create(LOCALE);
    // Without a database b this may be all that is left of it.
    expect(await databases(server)).toContain('b.old.holdfast-partial');
    await server.query('DROP DATABASE "b.old.holdfast-partial"');
    await first.swap();
    await server.createDatabase('b.old.holdfast-partial');
    const second = await check('b');
    await second.create(LOCALE);
    expect(await databases(server)).not.toContain('b.old.holdfast-partial');
    await second.discard();
    expect((await databases(server)).filter((name) => name.startsWith('b'))).toEqual(['b']);
  });

  test('a locale that the server does not have', async () => {
    const target = await check('c');
    await expect(target.create({ encoding: 'UTF8', collation: 'xx_XX.UTF-8' })).rejects.toThrow(
      coded('TARGET_UNWRITABLE', /locale xx_XX/),
    );
    await target.discard();
  });

  test.each(['x'.repeat(63), 'ü'.repeat(31), 'short'])('names beside %s fit', async (name) => {
    const target = await check(name);
    expect(Buffer.byteLength(target.partialName)).toBeLessThanOrEqual(63);
    await target.create(LOCALE);
    expect(await databases(server)).toContain(target.partialName);
    await target.swap();
    expect(await databases(server)).toContain(name);
    expect(besideName(`${name.slice(1)}y`, '.holdfast-partial')).not.toBe(target.partialName);
  });
});
