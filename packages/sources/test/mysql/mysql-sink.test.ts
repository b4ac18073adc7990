import { displayPath, pathFromText, type Sink } from '@holdfast/contracts';
import { decodeRowsDescription, encodeRowsDescription } from '@holdfast/formats/rows';
import { copySnapshot } from '@holdfast/testing/copy-snapshot';
import { type MemorySourceObject, memorySource } from '@holdfast/testing/memory-source';
import { MariadbServer } from '@holdfast/testing/servers/mariadb-server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type MysqlSinkOptions, mysqlSink, mysqlSource } from '../../src/mysql/index.ts';
import { access, feed, readObjects, restore } from './rig.ts';
import { namesOfSequences, OLD_SCHEMA as OLD, SMALL_SCHEMA as SCHEMA } from './small-schemas.ts';

const missing = await MariadbServer.missing();
const coded = (code: string, message?: RegExp): unknown =>
  expect.objectContaining(message ? { code, message: expect.stringMatching(message) } : { code });
describe.skipIf(missing)('MariaDB as a sink', () => {
  let server: MariadbServer;
  let objects: MemorySourceObject[];
  beforeAll(async () => {
    server = await MariadbServer.start();
    await server.createDatabase('app');
    await server.query(SCHEMA, 'app');
    objects = await readObjects(access(server, 'app'));
  }, 120_000);
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(() => server.query('drop database if exists target'));
  afterEach(async () => {
    const left = (await server.query("show databases like '%holdfast%'")).map(
      (row) => Object.values(row as object)[0],
    );
    for (const name of left) await server.query(`drop database \`${name}\``);
  });

  const sink = (options: Partial<MysqlSinkOptions> = {}) =>
    mysqlSink({ ...access(server, 'target'), ...options });
  const fill = (target: Sink, some: readonly MemorySourceObject[] = objects): Promise<void> =>
    feed(target, some);
  const dump = async (database: string): Promise<string> =>
    namesOfSequences(
      await server.dump(database, ['--routines', '--events', '--skip-comments', '--skip-dump-date']),
    );
  const databases = async (): Promise<unknown[]> =>
    (await server.query("show databases like 'target%'")).map((row) => Object.values(row as object)[0]);
  const createOld = async (): Promise<string> => {
    await server.createDatabase('target');
    await server.query(OLD, 'target');
    return dump('target');
  };

  test('writes what it is given, in pieces of any size, and leaves nothing beside it', async () => {
    const target = sink();
    await fill(target);
    expect(await databases()).toEqual(['target_holdfast_partial']);
    await target.finish();
    await target.abort();
    expect(await dump('target')).toBe(await dump('app'));
    expect(await databases()).toEqual(['target']);
  });

  test('restores into a database that is there and empty', async () => {
    await server.query('create database target character set utf8mb4');
    await copySnapshot(await memorySource(objects).open(), sink());
    expect(await dump('target')).toBe(await dump('app'));
  });

  test('refuses a database with something in it, and leaves it alone', async () => {
    const old = await createOld();
    await expect(fill(sink())).rejects.toThrow(coded('ALREADY_EXISTS', /target/));
    expect(await dump('target')).toBe(old);
    await server.query('drop database target; create database target; create procedure target.p() select 1');
    await expect(fill(sink())).rejects.toThrow(coded('ALREADY_EXISTS'));
    expect(await databases()).toEqual(['target']);
  });

  test('replaces everything when told to, and not before the end', async () => {
    const old = await createOld();
    const target = sink({ overwrite: true });
    await fill(target);
    expect(await dump('target')).toBe(old);
    await target.finish();
    expect(await dump('target')).toBe(await dump('app'));
    expect(await databases()).toEqual(['target']);
  });

  test('an aborted restore leaves the old as it was, and nothing else', async () => {
    const old = await createOld();
    const target = sink({ overwrite: true });
    await fill(target, objects.slice(0, 4));
    await target.abort();
    await target.abort();
    expect(await dump('target')).toBe(old);
    expect(await databases()).toEqual(['target']);
    await sink().abort();
  });

  test('takes no notice of what a crashed run left, nor of a stalled one that wakes up', async () => {
    const stalled = sink();
    await fill(stalled);
    await copySnapshot(await memorySource(objects).open(), sink());
    const there = await dump('target');
    await expect(stalled.finish()).rejects.toThrow(coded('TARGET_UNWRITABLE'));
    await stalled.abort();
    expect(await dump('target')).toBe(there);
  });

  test('a stalled restore does not move what another has half written', async () => {
    const stalled = sink();
    await fill(stalled);
    const other = sink();
    await fill(other, objects.slice(0, 4));
    // It finds out by its journal, or before by a table that it still loads and that is gone.
    const found = /Another restore|does not have it any more/;
    await expect(stalled.finish()).rejects.toThrow(coded('TARGET_UNWRITABLE', found));
    await stalled.abort();
    expect(await databases()).toEqual(['target_holdfast_partial']);
    await other.abort();
    expect(await databases()).toEqual([]);
  });

  test('stops for a signal', async () => {
    const signal = AbortSignal.abort();
    await expect(sink().begin({ attributes: {} }, { signal })).rejects.toThrow(coded('CANCELLED'));
    const target = sink();
    await fill(target);
    await expect(target.finish({ signal })).rejects.toThrow(coded('CANCELLED'));
    await target.abort();
    expect(await databases()).toEqual([]);
  });

  test('a server that dies while rows come is an error, and the target stays', async () => {
    const target = sink();
    await target.begin({ attributes: {} });
    await server.kill();
    const writing = (async () => {
      for (const { path, kind, attributes, content } of objects) {
        const writer = await target.create({
          path: path as Uint8Array,
          kind: kind!,
          attributes: attributes!,
          size: content!.length,
        });
        await writer!.write(0, content!);
        await writer!.complete(content!.length);
      }
      await target.finish();
    })();
    await expect(writing).rejects.toThrow(coded('TARGET_UNWRITABLE', /went away/));
    await target.abort();
    await server.resume();
    await copySnapshot(await memorySource(objects).open(), sink());
    expect(await dump('target')).toBe(await dump('app'));
  });

  test('what the server cannot make is found before anything has changed', async () => {
    const old = await createOld();
    const definitions = objects.map((object) => {
      if (displayPath(object.path as Uint8Array) !== '1-schema/definitions') return object;
      const text = Buffer.from(object.content!).toString().replace('select `t`.`id`', 'select `t`.`nothing`');
      return { ...object, content: Buffer.from(text) };
    });
    const target = sink({ overwrite: true });
    await fill(target, definitions);
    await expect(target.finish()).rejects.toThrow(coded('TARGET_UNWRITABLE', /views.*w/));
    await target.abort();
    expect(await dump('target')).toBe(old);
  });

  test.each([
    '',
    '/etc/passwd',
    '../up',
    '2-rows/app/t/main/all/other',
    'a',
    '2-rows/t/rows',
    '1-schema/more',
  ])('refuses the path %j', async (path) => {
    const target = sink();
    await target.begin({ attributes: {} });
    await expect(
      target.create({ path: pathFromText(path), kind: 'rows', attributes: {}, size: 1 }),
    ).rejects.toThrow(coded('FORMAT_INVALID'));
    await target.abort();
  });

  test('refuses objects that make no sense', async () => {
    const changed = (pick: string, change: (object: MemorySourceObject) => Partial<MemorySourceObject>) =>
      objects.map((object) =>
        displayPath(object.path as Uint8Array) === pick ? { ...object, ...change(object) } : object,
      );
    const rows = '2-rows/app/t/main/all/rows';
    const describe = (object: MemorySourceObject, change: object) => ({
      attributes: {
        rows: encodeRowsDescription({
          ...decodeRowsDescription(object.attributes!.rows as Uint8Array),
          ...change,
        }),
      },
    });
    const hostile: [readonly MemorySourceObject[], RegExp][] = [
      [changed('1-schema/definitions', () => ({ content: Buffer.from('{') })), /no JSON/],
      [changed('1-schema/facts', () => ({ content: Buffer.from('[]') })), /no object/],
      [
        changed('4-sequences', () => ({
          content: Buffer.from('{"autoIncrement":[{"table":"t","next":"1; drop"}],"sequences":[]}'),
        })),
        /no integer/,
      ],
      [changed(rows, () => ({ attributes: {} })), /no description/],
      [changed(rows, (object) => describe(object, { dialect: 'postgres' })), /postgres/],
      [changed(rows, (object) => describe(object, { table: 'ghost' })), /ghost/],
      [changed(rows, ({ content }) => ({ content: content!.slice(0, -1) })), /tuple/],
      [
        changed(rows, ({ content }) => ({ content: content!.slice(0, content!.length / 2) })),
        /counts 2 rows/,
      ],
      [objects.slice(2), /definitions|lacks/],
    ];
    for (const [some, message] of hostile) {
      const target = sink();
      await expect(
        fill(target, some).then(() => target.finish()),
        String(message),
      ).rejects.toThrow(coded('FORMAT_INVALID', message));
      await target.abort();
    }
    expect(await databases()).toEqual([]);
  });

  test('rows that the server would change are an error', async () => {
    await server.query(
      'create database lossy; create table lossy.t (id int primary key, v varchar(3)); insert into lossy.t values (1, "abc"), (2, "xyz")',
    );
    await restore(server, 'lossy', 'target');
    await server.query('drop database target');
    const snapshot = await mysqlSource(access(server, 'lossy')).open();
    const target = sink();
    const narrowed = {
      ...snapshot,
      async *objects() {
        for await (const object of snapshot.objects()) yield object;
      },
    };
    const create = target.create.bind(target);
    target.create = async (object, options) => {
      if (object.kind === 'rows')
        await server.query('alter table target_holdfast_partial.t modify v varchar(2)');
      return create(object, options);
    };
    await expect(copySnapshot(narrowed, target)).rejects.toThrow(
      coded('TARGET_UNWRITABLE', /table t would not be what they were/),
    );
    await snapshot.close();
  });

  test('rows of three MiB, and of three million small fields', async () => {
    await server.query(
      `create database giant; create table giant.g (id int primary key, b longblob, t longtext);
      insert into giant.g select seq, repeat(unhex(concat('00095C0AFF', lpad(hex(seq), 2, '0'))), 524288), repeat('ä\\n', 1000000) from seq_1_to_5`,
      'app',
    );
    const sums = 'select id, md5(b) b, length(b) n, md5(t) t from g';
    for (const localInfile of [true, false]) {
      await restore(server, 'giant', 'target', { sink: { localInfile, overwrite: true } });
      expect(await server.query(sums, 'target')).toEqual(await server.query(sums, 'giant'));
    }
  });
});
