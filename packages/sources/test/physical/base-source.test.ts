import { execFile } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { displayPath, type Source, type SourceObject } from '@holdfast/contracts';
import { readWhole } from '@holdfast/testing/copy-snapshot';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { describeSourceContract } from '@holdfast/testing/source-contract';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { postgresBaseSource } from '../../src/postgres/base/base-source.ts';
import { isLeftOut } from '../../src/postgres/base/cluster-names.ts';
import { clusterFileReader } from '../../src/postgres/base/relation-reader.ts';
import { serverAccount } from '../../src/postgres/wal/restore/server-account.ts';
import { connectWith } from '../../src/postgres/wal/wire/raw-connection.ts';
import { ProtectedServer } from './protected-server.ts';
import { until } from './shelf.ts';

const run = promisify(execFile);
const missing = await PostgresServer.missing(15);

// Servers start and recover several times in a test, on machines that do other things as well.
vi.setConfig({ testTimeout: 120_000 });

const sourceOf = (server: PostgresServer): Source =>
  postgresBaseSource({
    connect: connectWith({ connectionString: server.url('postgres') }),
    checkpoint: 'fast',
  });

/** Every backup makes a checkpoint, and so another control file and label. */
const VOLATILE = /^(label|data\/global\/pg_control)$/;

/** The contract reads byte by byte, which with all catalogs takes minutes: of their files these will do. */
const isKept = (path: string, table: string): boolean => {
  if (VOLATILE.test(path)) return false;
  return (
    !/^data\/(base\/\d+|global)\/\d/.test(path) || path === `data/${table}` || /global\/\d+_fsm$/.test(path)
  );
};

/** The source without what differs from one snapshot to the next even where nothing happens. */
function settled(source: Source, table: string): Source {
  return {
    ...source,
    async open(options) {
      const snapshot = await source.open(options);
      async function* objects(how?: { signal?: AbortSignal }): AsyncIterable<SourceObject> {
        for await (const object of snapshot.objects(how))
          if (isKept(displayPath(object.path), table)) yield object;
      }
      return {
        attributes: snapshot.attributes,
        estimate: snapshot.estimate,
        problems: snapshot.problems,
        objects,
        close: () => snapshot.close(),
      };
    },
  };
}

/** Files and directories as they lie on the disk, but for what a base snapshot leaves out. */
function onDisk(root: string, table: string): Map<string, Uint8Array | null> {
  const found = new Map<string, Uint8Array | null>([['data', null]]);
  const walk = (directory: string): void => {
    const path = relative(root, directory);
    const names = readdirSync(directory).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const name of names) {
      if (isLeftOut(path, name, new Set(names)) || name === 'pg_control') continue;
      const full = join(directory, name);
      const isDirectory = lstatSync(full).isDirectory();
      found.set(join('data', path, name), isDirectory ? null : readFileSync(full));
      if (isDirectory && !/^pg_(dynshmem|notify|replslot|serial|snapshots|stat_tmp|subtrans|wal)$/.test(name))
        walk(full);
    }
  };
  walk(root);
  return new Map([...found].filter(([path]) => isKept(path, table)));
}

describe.skipIf(missing)('an idle server', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start({ settings: { autovacuum: 'off' } });
    await server.query(
      'create table t as select i, repeat(md5(i::text), 20) from generate_series(1, 20000) i; checkpoint',
    );
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  describeSourceContract('postgres-base', async () => {
    // Its own file of statistics appears at each checkpoint or not; the first connection makes caches.
    await server.query('checkpoint');
    const [{ path }] = await server.query(`select pg_relation_filepath('t') as path`);
    return {
      source: settled(sourceOf(server), path),
      expected: onDisk(server.dataDirectory, path),
      cleanUp: async () => {},
    };
  });

  test('gives the files that pg_basebackup gives', async () => {
    const directory = join(server.dataDirectory, '..', 'theirs');
    const account = serverAccount();
    await run(
      join(server.programs, 'pg_basebackup'),
      ['-D', directory, '-X', 'none', '--no-sync', '-c', 'fast'],
      {
        env: server.environment(),
        ...(process.getuid?.() === 0 ? account : {}),
      },
    );
    const theirs = new Map<string, number>();
    const walk = (path: string): void => {
      for (const entry of readdirSync(join(directory, path), { withFileTypes: true })) {
        const full = join(path, entry.name);
        if (entry.isDirectory()) walk(full);
        else theirs.set(full, lstatSync(join(directory, full)).size);
      }
    };
    walk('');
    for (const name of ['backup_label', 'backup_manifest']) theirs.delete(name);
    const ours = new Map<string, number>();
    const snapshot = await sourceOf(server).open();
    for await (const { path, kind, size } of snapshot.objects())
      if (kind === 'datafile') ours.set(displayPath(path).slice('data/'.length), size!);
    await snapshot.close();
    expect([...ours].sort()).toEqual([...theirs].sort());
  });

  test('that dies while a file is read is an error, not an end', async () => {
    const snapshot = await sourceOf(server).open();
    const into = new Uint8Array(1000);
    const listing = snapshot.objects()[Symbol.asyncIterator]();
    for (;;) {
      const { value } = await listing.next();
      if (value.cut?.by === 'blocks' && value.size > 2 ** 20) {
        const reader = await value.open();
        await reader.read(into);
        await server.kill();
        const rest = readWhole(reader, into);
        await expect(rest).rejects.toThrow(expect.objectContaining({ code: 'SOURCE_UNREADABLE' }));
        break;
      }
    }
    await snapshot.close();
    await server.resume();
  });
});

describe.skipIf(missing)('page checksums', () => {
  test('find what the disk damaged, and raise no alarm while pages are written', async () => {
    await using world = await ProtectedServer.start();
    const { server } = world;
    const account = process.getuid?.() === 0 ? serverAccount() : {};
    await server.stop();
    await run(join(server.programs, 'pg_checksums'), ['--enable', '--no-sync', '-D', server.dataDirectory], {
      ...account,
    });
    await server.resume();
    await server.query(
      'create table t as select i, 0 as n, repeat(md5(i::text), 20) from generate_series(1, 20000) i; checkpoint',
    );
    const [{ path }] = await server.query(`select pg_relation_filepath('t') as path`);

    let stopped = false;
    const writer = (async () => {
      while (!stopped) await server.query('update t set n = n + 1 where i % 7 = 0; checkpoint');
    })();
    for (let round = 0; round < 3; round++) expect(await problems(sourceOf(server))).toEqual([]);
    stopped = true;
    await writer;

    await server.query('vacuum full t');
    await server.query('checkpoint');
    const [{ path: now }] = await server.query(`select pg_relation_filepath('t') as path`);
    expect(now).not.toBe(path);
    await server.stop();
    const file = await open(join(server.dataDirectory, now), 'r+');
    await file.write(Buffer.from('rot'), 0, 3, 130 * 8192 + 4000);
    await file.close();
    await server.resume();
    const found = await problems(sourceOf(server));
    expect(found).toEqual([`data/${now}: page 130`]);
  }, 60_000);

  async function problems(source: Source): Promise<string[]> {
    const snapshot = await source.open();
    const into = new Uint8Array(256 * 1024);
    for await (const object of snapshot.objects()) {
      if (object.cut === null) continue;
      const reader = await object.open();
      while ((await reader.read(into)).kind !== 'end');
      await reader.close();
    }
    const found = snapshot.problems.map(
      ({ path, message }) => `${displayPath(path)}: ${message.split(' does')[0]}`,
    );
    await snapshot.close();
    return found;
  }
});

describe('a file that changes while it is read', () => {
  const reader = (content: () => Buffer | null, size: number) =>
    clusterFileReader({
      size,
      read: async (offset, length) => content()?.subarray(offset, offset + length) ?? null,
      pages: null,
      onEnd: () => {},
    });

  test('keeps the size that it was listed with', async () => {
    const longer = Buffer.alloc(3 * 2 ** 20, 1);
    const into = new Uint8Array(100_000);
    const size = 2 ** 20 + 8192;
    const all = Buffer.from(
      await readWhole(
        reader(() => longer, size),
        into,
      ),
    );
    expect(all.equals(longer.subarray(0, size))).toBe(true);
    const cut = longer.subarray(0, 2 ** 20 + 10);
    const padded = Buffer.concat([cut, Buffer.alloc(size - cut.length)]);
    expect(
      Buffer.from(
        await readWhole(
          reader(() => cut, size),
          into,
        ),
      ).equals(padded),
    ).toBe(true);
    expect(
      Buffer.from(
        await readWhole(
          reader(() => null, size),
          into,
        ),
      ).equals(Buffer.alloc(size)),
    ).toBe(true);
  });

  test('of a table that is dropped meanwhile comes back without it', async () => {
    await using world = await ProtectedServer.start();
    const { server } = world;
    await mkdir(join(world.directory, 'x'));
    await server.query(
      'create table kept as select i from generate_series(1, 50000) i; create table dropped as table kept; checkpoint',
    );
    let reached = false;
    world.protect({
      async storeSnapshot(source, what, signal) {
        if (what === 'base') {
          await world.shelf.store(
            slowed(source, async () => {
              if (reached) return;
              reached = true;
              for (const sql of [
                'drop table dropped',
                'delete from kept where i > 10',
                'vacuum kept',
                'checkpoint',
              ])
                await server.query(sql);
              await until(
                async () => (await server.query('select count(*)::int as n from kept'))[0].n === 10,
              );
            }),
            signal,
          );
        } else await world.shelf.store(source, signal);
      },
    });
    await world.base();
    await world.stored();
    const client = await world.recover('latest');
    expect((await client.query('select count(*)::int as n from kept')).rows[0].n).toBe(10);
    expect(world.of('store-failed')).toEqual([]);
    expect(reached).toBe(true);
    expect((await client.query(`select to_regclass('dropped') as there`)).rows[0].there).toBeNull();
    await client.end();
  });

  /** Something happens in front of the first big file. */
  function slowed(source: Source, before: () => Promise<void>): Source {
    return {
      ...source,
      async open(options) {
        const snapshot = await source.open(options);
        async function* objects(how?: { signal?: AbortSignal }): AsyncIterable<SourceObject> {
          for await (const object of snapshot.objects(how)) {
            if ((object.size ?? 0) > 2 ** 20) await before();
            yield object;
          }
        }
        const { attributes, estimate, problems } = snapshot;
        return { attributes, estimate, problems, objects, close: () => snapshot.close() };
      },
    };
  }
});

test.skipIf(missing)('a base is not taken from a standby', async () => {
  await using server = await PostgresServer.start();
  await server.stop();
  await (await import('node:fs/promises')).writeFile(join(server.dataDirectory, 'standby.signal'), '');
  await server.resume();
  await expect(sourceOf(server).open()).rejects.toThrow(
    expect.objectContaining({ code: 'SOURCE_UNREADABLE', details: { reason: 'in-recovery' } }),
  );
  expect((await readFile(join(server.dataDirectory, 'PG_VERSION'), 'utf8')).trim()).toBe('15');
});
