import { readFile, writeFile } from 'node:fs/promises';
import { dumpOf, firstDifference } from '@holdfast/testing/servers/postgres-dump';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { createTorture } from '@holdfast/testing/servers/postgres-torture';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lab } from './support/lab.ts';
import type { BackupOutput } from './support/output.ts';
import { storedFiles } from './support/peer-disks.ts';
import { checkSeparation } from './support/separation.ts';

const missing = await PostgresServer.missing();

/** Users with a column family, messages over a year in monthly windows, a table without a key. */
const CHAT = `
  CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, email text NOT NULL, phone text);
  CREATE TABLE messages (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, author bigint NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL, body text NOT NULL, length int GENERATED ALWAYS AS (length(body)) STORED);
  CREATE INDEX ON messages (author, created_at);
  CREATE TABLE visits (who text, at timestamptz);
  INSERT INTO users SELECT i, 'user ' || i, 'u' || i || '@example.org', '+43 ' || i FROM generate_series(1, 500) i;
  INSERT INTO messages (author, created_at, body)
    SELECT 1 + i % 500, '2025-12-01'::timestamptz + i * interval '13 minutes', md5(i::text) || repeat(' chat', i % 40)
    FROM generate_series(1, 40000) i;
  INSERT INTO visits SELECT 'user ' || i % 50, '2026-01-01'::timestamptz + i * interval '1 second' FROM generate_series(1, 500) i;`;

describe.skipIf(missing)(`PostgreSQL${missing ? ` (${missing})` : ''}`, () => {
  let lab: Lab;
  let server: PostgresServer;
  let password: string;
  let first: BackupOutput;

  beforeAll(async () => {
    [lab, server] = await Promise.all([
      Lab.up({ peers: 5, k: 3, m: 2, operators: 5 }),
      PostgresServer.start(),
    ]);
    password = lab.path('password');
    await writeFile(password, `${server.password}\n`, { mode: 0o600 });
    await server.createDatabase('chat');
    await server.query(CHAT, 'chat');
    await lab.must([
      ...['source', 'add', 'chat', 'postgres', address('chat'), '--password-file', password],
      ...['--family', 'users.pii=email,phone', '--time', 'messages=created_at', '--skip-unchanged'],
    ]);
  });
  afterAll(async () => {
    await lab?.down();
    await server?.[Symbol.asyncDispose]();
  });

  const address = (database: string): string =>
    `postgres://${server.user}@${server.host}:${server.port}/${database}`;
  const restore = (id: string, to: string, ...more: string[]) => {
    const login = to.startsWith('postgres:') ? ['--password-file', password] : [];
    return lab.must(['restore', id, '--to', to, ...login, ...more]);
  };
  const same = async (a: string, b: string): Promise<string | null> =>
    firstDifference(await dumpOf(server, a), await dumpOf(server, b));

  it('is backed up and restored, the same by pg_dump’s own judgement', async () => {
    first = await lab.backUp('chat');
    expect(first).toMatchObject({ ok: true, problems: [] });
    await restore(first.snapshot.id, address('copy'));
    expect(await same('chat', 'copy')).toBeNull();
    const { violations } = await checkSeparation(lab, await storedFiles(lab.peers()));
    expect(violations).toEqual([]);
  });

  it('costs what changed, row by row', async () => {
    const before = first.snapshot.totals;
    const unchanged = await lab.backUp('chat');
    expect(unchanged.snapshot.totals.newBytes).toBe(0);
    // Nothing was read of tables that did not change.
    expect(unchanged.readBytes).toBeLessThan(before.bytes / 20);
    await server.query(
      `UPDATE messages SET body = body || '!' WHERE id % 50 = 7; DELETE FROM messages WHERE id % 50 = 8`,
      'chat',
    );
    const edited = await lab.backUp('chat');
    expect(edited.snapshot.totals.newBytes).toBeLessThan(0.04 * before.bytes);
    await restore(edited.snapshot.id, address('edited'));
    expect(await same('chat', 'edited')).toBeNull();
    await restore(first.snapshot.id, address('old'));
    expect(await same('old', 'copy')).toBeNull();
  });

  it('shows which partitions there are, and whom they follow', async () => {
    const { stdout } = await lab.must(['show', 'latest', '--partitions']);
    const { partitions } = JSON.parse(stdout.toString()) as {
      partitions: { kind: string; dependencies: { kind: string }[] }[];
    };
    const kinds = new Set(partitions.map(({ kind }) => kind));
    for (const kind of ['row', 'column', 'temporal']) expect(kinds).toContain(kind);
    const relations = new Set(partitions.flatMap(({ dependencies }) => dependencies.map(({ kind }) => kind)));
    expect(relations).toContain('follows');
  });

  it('is restored without a column family, which can be put back later', async () => {
    await restore('latest', address('nopii'), '--without', 'users.pii');
    const [without] = await server.query(
      'SELECT count(*)::int AS rows, count(email)::int AS emails FROM users',
      'nopii',
    );
    expect(without).toEqual({ rows: 500, emails: 0 });
    await restore('latest', address('nopii'), '--put-back', '--family', 'users.pii');
    expect(await same('chat', 'nopii')).toBeNull();
  });

  it('gives single tables, windows and ranges, to files and databases', async () => {
    const csv = lab.path('march.csv');
    await restore('latest', csv, '--table', 'messages', '--window', '2026-03');
    const [{ n }] = await server.query(
      `SELECT count(*)::int AS n FROM messages WHERE created_at >= '2026-03-01Z' AND created_at < '2026-04-01Z'`,
      'chat',
    );
    expect((await readFile(csv, 'utf8')).trimEnd().split('\n')).toHaveLength(n + 1);

    const range = await lab.must([
      'restore',
      'latest',
      '--to',
      lab.path('some.ndjson'),
      '--table',
      'messages',
      '--where',
      'id between 20000 and 20049',
    ]);
    expect(range.code).toBe(0);
    const rows = (await readFile(lab.path('some.ndjson'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const expected = await server.query(
      'SELECT id::int, body FROM messages WHERE id BETWEEN 20000 AND 20049 ORDER BY id',
      'chat',
    );
    expect(rows.map(({ id, body }) => ({ id, body }))).toEqual(expected);

    await restore('latest', address('one'), '--table', 'messages', '--where', 'id < 100');
    const tables = await server.query(
      `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1`,
      'one',
    );
    expect(tables).toEqual([{ relname: 'messages' }]);
    const [{ rows: some }] = await server.query('SELECT count(*)::int AS rows FROM messages', 'one');
    const [{ rows: all }] = await server.query(
      'SELECT count(*)::int AS rows FROM messages WHERE id < 100',
      'chat',
    );
    expect(some).toBe(all);
  });

  it('is backed up by runs that are killed, and by one that is not', async () => {
    await server.query(`UPDATE messages SET body = body || md5(random()::text) WHERE id % 3 = 0`, 'chat');
    for (const milliseconds of [900, 1400, 1900]) {
      const { child, ended } = lab.start(['backup', 'chat']);
      setTimeout(() => child.kill('SIGKILL'), milliseconds);
      await ended;
      await server.query(
        `UPDATE messages SET body = body || '?' WHERE id % 500 = ${milliseconds % 500}`,
        'chat',
      );
    }
    const { snapshot } = await lab.backUp('chat');
    await restore(snapshot.id, address('killed'));
    expect(await same('chat', 'killed')).toBeNull();
  });

  it('refuses to write over a database, unless told to', async () => {
    const refused = await lab.run([
      'restore',
      first.snapshot.id,
      '--to',
      address('copy'),
      '--password-file',
      password,
    ]);
    expect(refused.json.error.code).toBe('ALREADY_EXISTS');
    await restore(first.snapshot.id, address('one'), '--overwrite');
    expect(await same('one', 'copy')).toBeNull();
  });

  it('tells what is wrong, and never the password', async () => {
    const wrong = lab.path('wrong');
    await writeFile(wrong, 'open sesame\n', { mode: 0o600 });
    await lab.must(['source', 'add', 'locked', 'postgres', address('chat'), '--password-file', wrong]);
    const refused = await lab.run(['backup', 'locked']);
    expect(refused.json.error).toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: expect.stringMatching(/password/i),
    });
    expect(refused.stderr + refused.stdout).not.toContain('open sesame');
    const spoken = await lab.run(['source', 'add', 'x', 'postgres', 'postgres://me:secret@localhost/chat']);
    expect(spoken.json.error.code).toBe('USAGE');
    expect(spoken.stderr + spoken.stdout).not.toContain('secret');
    const unknown = await lab.run([
      'restore',
      'latest',
      '--to',
      lab.path('x.csv'),
      '--source',
      'chat',
      '--table',
      'mesages',
    ]);
    expect(unknown.json.error.code).toBe('NOT_FOUND');
  });

  it('of every kind of type and object comes back', async () => {
    await createTorture(server, 'torture');
    await lab.must(['source', 'add', 'torture', 'postgres', address('torture'), '--password-file', password]);
    const { snapshot } = await lab.backUp('torture');
    await restore(snapshot.id, address('tortured'));
    expect(await same('torture', 'tortured')).toBeNull();
  });
});
