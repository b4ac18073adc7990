import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { describe, expect, test, vi } from 'vitest';
import { ownDirectory, ProtectedServer } from './protected-server.ts';

const missing = await PostgresServer.missing(15);

// Servers start and recover several times in a test, on machines that do other things as well.
vi.setConfig({ testTimeout: 120_000 });

describe.skipIf(missing)('a cluster with tablespaces', () => {
  test('comes back with them beside it, or where asked', async () => {
    await using world = await ProtectedServer.start();
    const { server, directory } = world;
    for (const name of ['fast', 'slow']) {
      const place = join(directory, name);
      await mkdir(place);
      await ownDirectory(place);
      await server.query(`create tablespace ${name} location '${place}'`);
      await server.query(
        `create table in_${name} tablespace ${name} as select i from generate_series(1, 1000) i`,
      );
    }
    world.protect();
    await world.base();
    await server.query('insert into in_fast select i from generate_series(1, 10) i');
    await world.stored();
    const chosen = join(directory, 'chosen');
    const path = join(directory, 'restored');
    await world.shelf.restore(world.shelf.plan('latest'), path, new Map([[join(directory, 'slow'), chosen]]));
    const client = await world.start(path);
    const count = async (table: string): Promise<number> =>
      (await client.query(`select count(*)::int as n from ${table}`)).rows[0].n;
    expect(await count('in_fast')).toBe(1010);
    expect(await count('in_slow')).toBe(1000);
    const { rows } = await client.query(
      `select spcname, pg_tablespace_location(oid) as place from pg_tablespace where spcname in ('fast', 'slow') order by 1`,
    );
    expect(rows[0].place).toMatch(/restored-tablespaces\/\d+$/);
    expect(rows[1].place).toBe(chosen);
    await client.end();
  });
});
