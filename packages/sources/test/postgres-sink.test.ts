import { copySnapshot } from '@holdfast/testing/copy-snapshot';
import { type MemorySourceObject, memorySource } from '@holdfast/testing/memory-source';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PostgresSinkOptions, postgresSink } from '../src/postgres/restore/index.ts';
import { objectsOf } from './postgres-objects.ts';

const missing = await PostgresServer.missing();

describe.skipIf(missing !== null)('a database comes back', () => {
  let server: PostgresServer;
  let objects: MemorySourceObject[];
  beforeAll(async () => {
    server = await PostgresServer.start();
    await server.createDatabase('shop');
    await server.query(
      `CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL, at timestamptz, tags text[]);
       INSERT INTO users SELECT i, 'user' || i || E'\\t\\\\' || '@example.org', now(), ARRAY['a', NULL] FROM generate_series(1, 5000) i;
       CREATE TABLE notes (id bigserial PRIMARY KEY, body text, owner int REFERENCES users);
       INSERT INTO notes (body, owner) SELECT repeat(md5(i::text), 30), i % 5000 + 1 FROM generate_series(1, 20000) i;
       CREATE INDEX ON notes (owner);
       CREATE MATERIALIZED VIEW busy AS SELECT owner, count(*) FROM notes GROUP BY 1`,
      'shop',
    );
    objects = await objectsOf(server, 'shop');
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const options = (more: Partial<PostgresSinkOptions> = {}): PostgresSinkOptions => ({
    host: server.host,
    port: server.port,
    user: server.user,
    passwordEnv: 'HOLDFAST_TEST_PASSWORD',
    database: 'back',
    jobs: 2,
    ...more,
  });
  process.env.HOLDFAST_TEST_PASSWORD = 'a quiet harbour';

  const restore = async (more: Partial<PostgresSinkOptions> = {}, bufferBytes = 70_000): Promise<void> => {
    await copySnapshot(await memorySource(objects).open(), postgresSink(options(more)), { bufferBytes });
  };

  test('rows, keys, sequences and views', async () => {
    await restore();
    const sum = `SELECT (SELECT md5(string_agg(u::text, ',' ORDER BY id)) FROM users u) AS users,
      (SELECT md5(string_agg(n::text, ',' ORDER BY id)) FROM notes n) AS notes, (SELECT count(*) FROM busy) AS busy,
      nextval('notes_id_seq') AS next`;
    expect(await server.query(sum, 'back')).toEqual(await server.query(sum, 'shop'));
  });
});
