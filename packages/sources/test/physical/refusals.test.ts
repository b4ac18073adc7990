import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { describe, expect, test, vi } from 'vitest';
import { connectWith, RawConnection } from '../../src/postgres/wal/wire/raw-connection.ts';
import { insert, recovered } from './notes.ts';
import { ProtectedServer } from './protected-server.ts';
import { until } from './shelf.ts';

const missing = await PostgresServer.missing(15);

// Servers start and recover several times in a test, on machines that do other things as well.
vi.setConfig({ testTimeout: 120_000 });

interface Refusal {
  readonly code: string;
  readonly hint: string;
  readonly details: { readonly reason: string };
}

describe.skipIf(missing)('a server that refuses', () => {
  const failure = async (world: ProtectedServer, user: string, password = 'pw'): Promise<Refusal> => {
    const { host, port } = world.server;
    world.protect({ connect: connectWith({ host, port, user, password, database: 'postgres' }) });
    return (await world.ended) as never;
  };

  test('says what to change', async () => {
    await using world = await ProtectedServer.start({
      settings: { wal_level: 'minimal', max_wal_senders: '0' },
    });
    const { user, password } = world.server;
    expect(await failure(world, user, password)).toMatchObject({
      code: 'SOURCE_UNREADABLE',
      hint: expect.stringContaining('wal_level = replica'),
      details: { reason: 'wal-level' },
    });
    expect(await failure(world, user, 'wrong')).toMatchObject({ details: { reason: 'password' } });
  });

  test('says which rights are missing, and these are enough', async () => {
    await using world = await ProtectedServer.start({ settings: { max_wal_senders: '1' } });
    const { server } = world;
    await server.query(`create table notes (text text); create role keeper login password 'pw'`);
    const unprivileged = await failure(world, 'keeper');
    expect(unprivileged).toMatchObject({
      details: { reason: 'no-replication-right' },
      hint: expect.stringContaining('ALTER ROLE'),
    });
    await server.query(/ALTER ROLE.*;/.exec(unprivileged.hint)![0]);

    const connect = connectWith({ connectionString: server.url('postgres') });
    const other = await RawConnection.open(connect, 'replication');
    expect(await failure(world, 'keeper')).toMatchObject({
      details: { reason: 'max-wal-senders' },
      hint: expect.stringContaining('max_wal_senders'),
    });
    other.close();
    await until(async () => (await server.query('select 1 from pg_stat_replication')).length === 0);

    const hba = join(server.dataDirectory, 'pg_hba.conf');
    const ordinary = 'local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n';
    await writeFile(hba, ordinary);
    await server.query('select pg_reload_conf()');
    await until(async () => (await failure(world, 'keeper')).details.reason === 'pg-hba');
    const refused = await failure(world, 'keeper');
    expect(refused.hint).toContain('host replication keeper');
    await writeFile(hba, `${ordinary}host replication keeper 127.0.0.1/32 scram-sha-256\n`);
    await server.query('select pg_reload_conf()');

    const { host, port } = server;
    world.protect({
      connect: connectWith({ host, port, user: 'keeper', password: 'pw', database: 'postgres' }),
    });
    await until(() => world.of('store-failed').length > 0);
    const { hint } = world.of('store-failed')[0]!;
    await server.query(/GRANT.*;/.exec(hint!)![0]);
    await world.base();
    await insert(server, 'one');
    await world.stored();
    expect(await recovered(world)).toEqual(['one']);
  });
});
