import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import type { Ended } from './support/command.ts';
import { Lab } from './support/lab.ts';
import { RunningAgent } from './support/running-agent.ts';
import { until } from './support/until.ts';

const missing = await PostgresServer.missing();

interface DrillOutput {
  readonly source: string;
  readonly snapshot: string;
  readonly ok: boolean;
  readonly rows: number;
  readonly measuredSeconds: number;
  readonly steps: readonly { readonly name: string; readonly seconds: number }[];
  readonly problems: readonly string[];
  readonly tables: readonly TableOutput[];
}

interface TableOutput {
  readonly schema: string;
  readonly table: string;
  readonly family: string | null;
  readonly window: string | null;
  readonly rows: number;
  readonly found: number;
  readonly same: boolean | null;
}

let lab: Lab;
let temporary: string;

beforeAll(async () => {
  lab = await Lab.up({ peers: 5, k: 3, m: 2, operators: 5 });
  temporary = lab.path('tmp');
  await mkdir(temporary);
});
afterAll(() => lab?.down());

const drill = (...args: string[]): Promise<Ended> =>
  lab.run(['verify', '--restore-drill', ...args], { environment: { TMPDIR: temporary } });
const drillsOf = ({ json }: Ended): DrillOutput[] => (json as unknown as { drills: DrillOutput[] }).drills;

/** One that must work. */
async function goodDrill(...args: string[]): Promise<DrillOutput> {
  const ended = await drill(...args);
  expect(ended.code, `${ended.stdout}${ended.stderr}`).toBe(0);
  const [only, ...others] = drillsOf(ended);
  expect(others).toEqual([]);
  return only!;
}

const steps = ({ steps: all }: DrillOutput): string[] => all.map(({ name }) => name);

/** Users with a family, messages in windows, large objects, a table without a key, one without rows. */
const CHAT = `
  CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, email text NOT NULL, phone text);
  CREATE TABLE messages (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, author bigint NOT NULL REFERENCES users,
    created_at timestamptz, body text NOT NULL, length int GENERATED ALWAYS AS (length(body)) STORED);
  CREATE TABLE visits (who text, at timestamptz, place point, ok xml);
  CREATE TABLE empty (id int PRIMARY KEY);
  INSERT INTO users SELECT i, 'user ' || i, 'u' || i || '@example.org', '+43 ' || i FROM generate_series(1, 500) i;
  INSERT INTO messages (author, created_at, body)
    SELECT 1 + i % 500, CASE WHEN i % 100 = 0 THEN NULL ELSE '2026-01-01Z'::timestamptz + i * interval '1 hour' END,
      md5(i::text) FROM generate_series(1, 3000) i;
  INSERT INTO visits SELECT 'user ' || i % 50, '2026-01-01'::timestamptz + i * interval '1 second', point(i, i / 3.0), '<a/>'
    FROM generate_series(1, 500) i;
  SELECT lo_from_bytea(0, decode(repeat(md5(i::text), 70000 * i), 'hex')) FROM generate_series(1, 3) i;`;

/** A database that changes its own rows when it is restored: what a drill is there to find. */
const RESTLESS = `
  CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL);
  CREATE TABLE messages (id int PRIMARY KEY, at timestamptz);
  CREATE TABLE calm (id int PRIMARY KEY);
  INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 50) i;
  INSERT INTO messages SELECT i, '2026-01-15Z'::timestamptz + i * interval '1 day' FROM generate_series(1, 30) i;
  INSERT INTO calm SELECT generate_series(1, 10);
  CREATE MATERIALIZED VIEW names AS SELECT name FROM users;
  CREATE FUNCTION meddle() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE public.users SET name = 'somebody else' WHERE id = 7;
    DELETE FROM public.messages WHERE id = 20;
    INSERT INTO public.messages VALUES (1000, '2030-05-05Z');
  END $$;
  CREATE EVENT TRIGGER meddling ON ddl_command_end WHEN TAG IN ('REFRESH MATERIALIZED VIEW') EXECUTE FUNCTION meddle();
  ALTER EVENT TRIGGER meddling ENABLE ALWAYS;`;

describe.skipIf(missing)(`a drill of a PostgreSQL database${missing ? ` (${missing})` : ''}`, () => {
  let server: PostgresServer;
  let password: string;

  beforeAll(async () => {
    server = await PostgresServer.start();
    password = lab.path('password');
    await writeFile(password, `${server.password}\n`, { mode: 0o600 });
    await server.createDatabase('chat');
    await server.query(CHAT, 'chat');
    await lab.must([
      ...['source', 'add', 'chat', 'postgres', address('chat'), '--password-file', password],
      ...['--family', 'users.pii=email,phone', '--time', 'messages=created_at'],
    ]);
    await lab.backUp('chat');
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  const address = (database: string): string =>
    `postgres://${server.user}@${server.host}:${server.port}/${database}`;
  const scratchDatabases = async (): Promise<string[]> =>
    (await server.query("SELECT datname FROM pg_database WHERE datname ~ '^holdfast_drill_'")).map(
      ({ datname }) => datname,
    );

  it('finds every table, family and window as it was, and leaves nothing behind', async () => {
    const report = await goodDrill('--source', 'chat');
    expect(report).toMatchObject({ drill: 'restore', source: 'chat', ok: true, problems: [] });
    expect(report.tables.every(({ same, rows, found }) => same && rows === found)).toBe(true);
    const names = report.tables.map(({ table, family, window }) => [table, family, window].join(' '));
    expect(names).toEqual(
      expect.arrayContaining([
        'users  ',
        'users pii ',
        'messages  2026-02',
        'messages  none',
        'visits  ',
        'empty  ',
      ]),
    );
    const rows = (wanted: string): number =>
      report.tables
        .filter(({ table, family }) => table === wanted && family === null)
        .reduce((sum, each) => sum + each.rows, 0);
    expect(['users', 'messages', 'visits', 'empty'].map(rows)).toEqual([500, 3000, 500, 0]);
    // Of 1.1, 2.2 and 3.4 MB, in pages of 255 KiB.
    expect(rows('pg_largeobject')).toBe(5 + 9 + 13);
    expect(report.rows).toBe(4000 + 27);
    expect(steps(report)).toEqual(['prepare', 'restore', 'compare', 'remove']);
    expect(report.measuredSeconds).toBeCloseTo(
      report.steps.reduce((sum, { seconds }) => sum + seconds, 0),
      6,
    );
    expect(await scratchDatabases()).toEqual([]);
  });

  it('on a server that is named', async () => {
    const on = address('').replace(/postgres$/, '');
    const report = await goodDrill('--on', on, '--password-file', password, '--no-owner', '--jobs', '3');
    expect(report).toMatchObject({ source: 'chat', ok: true });
    const refused = await drill('--source', 'chat', '--on', 'mysql://root@localhost/');
    expect([refused.code, drillsOf(refused)[0]]).toMatchObject([2, { error: { code: 'USAGE' } }]);
    const secret = await drill('--on', 'postgres://me:secret@localhost/');
    expect([secret.code, secret.json.error.code]).toEqual([2, 'USAGE']);
    expect(secret.stdout + secret.stderr).not.toContain('secret');
    const misplaced = await lab.run(['verify', '--on', on]);
    expect([misplaced.code, misplaced.json.error.code]).toEqual([2, 'USAGE']);
  });

  it('says which tables are different, with what was expected and what was found', async () => {
    await server.createDatabase('restless');
    await server.query(RESTLESS, 'restless');
    await lab.must([
      ...['source', 'add', 'restless', 'postgres', address('restless'), '--password-file', password],
      ...['--time', 'messages=at'],
    ]);
    await lab.backUp('restless');
    const ended = await drill('--source', 'restless');
    expect([ended.code, ended.json.error.code]).toEqual([4, 'VERIFY_FAILED']);
    const [report] = drillsOf(ended);
    expect(report!.ok).toBe(false);
    const wrong = report!.tables.filter(({ same }) => same === false);
    const named = (table: string, window: string | null, rows: number, found: number): TableOutput => ({
      ...{ schema: 'public', table, family: null, window, rows, found, same: false },
    });
    // The row that came in is in no window of the snapshot.
    expect(wrong).toEqual([
      named('messages', '2026-02', 14, 13),
      named('users', null, 50, 50),
      named('messages', 'other', 0, 1),
    ]);
    expect(ended.json.error.message).toMatch(/public\.users: 50 rows, but not the same ones/);
    expect(ended.json.error.message).toMatch(/public\.messages, window 2026-02: 14 rows expected, 13 found/);
    expect(ended.stdout.toString() + ended.stderr).not.toContain('somebody else');
    expect(await scratchDatabases()).toEqual([]);
    await lab.must(['source', 'remove', 'restless']);
  });

  it('that is stopped drops its database; one that is killed leaves it to the next', async () => {
    const args = ['verify', '--restore-drill', '--source', 'chat'];
    const stopped = lab.start(args);
    await until(async () => (await scratchDatabases()).some((name) => name.includes('partial')));
    stopped.child.kill('SIGINT');
    const ended = await stopped.ended;
    expect([ended.code, ended.json.error.code]).toEqual([130, 'CANCELLED']);
    expect(await scratchDatabases()).toEqual([]);

    const killed = lab.start(args);
    await until(async () => (await scratchDatabases()).some((name) => name.includes('partial')));
    killed.child.kill('SIGKILL');
    await killed.ended;
    const left = await scratchDatabases();
    expect(left).not.toEqual([]);
    // One that is alive is not taken for dead, whatever database of the server it is connected to.
    const alive = lab.start([...args, '--on', address('chat'), '--password-file', password]);
    await until(async () => (await scratchDatabases()).some((name) => !left.includes(name)));
    await until(async () => !(await scratchDatabases()).some((name) => left.includes(name)));
    await goodDrill('--source', 'chat');
    expect((await alive.ended).code).toBe(0);
    expect(await scratchDatabases()).toEqual([]);
  });

  it('by schedule, and status warns when it failed', async () => {
    await configureDrill('chat', { every: '1s', jitter: '0s', retries: { count: 0 } });
    const good = new RunningAgent(lab);
    await good.sees({ event: 'run-succeeded', task: 'drill:chat' });
    await good.end();
    expect(await warnings()).toEqual([]);
    await configureDrill('chat', {
      every: '1s',
      jitter: '0s',
      retries: { count: 0 },
      on: 'postgres://nobody@127.0.0.1:1/',
    });
    const bad = new RunningAgent(lab);
    await bad.sees({ event: 'run-failed', task: 'drill:chat' });
    await bad.end();
    const { tasks } = (await lab.must(['agent', 'status'])).json as unknown as {
      tasks: { task: string; failures: number }[];
    };
    expect(tasks.find(({ task }) => task === 'drill:chat')).toMatchObject({
      source: 'chat',
      lastFailure: { code: 'TARGET_UNWRITABLE' },
      lastSuccess: { snapshot: expect.any(String) },
    });
    expect(await warnings()).toEqual([
      expect.stringMatching(/last restore drill of "chat" failed.*TARGET_UNWRITABLE/),
    ]);
    expect(await scratchDatabases()).toEqual([]);
    await configureDrill('chat', undefined);
  });
});

const warnings = async (): Promise<string[]> =>
  ((await lab.must(['status'])).json as unknown as { warnings: string[] }).warnings.filter(
    (text) => text.includes('drill') && !text.includes('overdue'),
  );

async function configureDrill(source: string, settings: object | undefined): Promise<void> {
  const path = join(lab.vault, 'holdfast.yaml');
  const document = parseDocument(await readFile(path, 'utf8'));
  if (settings) document.setIn(['sources', source, 'drill'], document.createNode(settings));
  else document.deleteIn(['sources', source, 'drill']);
  await writeFile(path, document.toString());
}

describe('a drill of files', () => {
  const left = (): Promise<string[]> => readdir(temporary);

  beforeAll(async () => {
    const database = new DatabaseSync(lab.path('app.db'));
    database.exec('PRAGMA journal_mode = wal; CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)');
    database.exec('CREATE INDEX by_text ON notes (text); CREATE TABLE "odd ""name" (a)');
    const insert = database.prepare('INSERT INTO notes (text) VALUES (?)');
    for (let i = 0; i < 1000; i++) insert.run(`note ${i}`);
    database.close();
    await mkdir(lab.path('tree'));
    await writeFile(join(lab.path('tree'), 'content'), randomBytes(24_000_000));
    await lab.must(['source', 'add', 'app', 'sqlite', lab.path('app.db')]);
    await lab.must(['source', 'add', 'docs', 'tree', lab.path('tree')]);
    await lab.must(['source', 'add', 'dump', 'stdin']);
    await lab.must(['backup', 'app', 'docs']);
    await lab.must(['backup', 'dump'], { input: randomBytes(100_000) });
  });

  it('checks a SQLite database by SQLite, and counts its rows', async () => {
    const report = await goodDrill('--source', 'app');
    expect(report.tables.map(({ table, rows, same }) => [table, rows, same])).toEqual([
      ['notes', 1000, null],
      ['odd "name', 0, null],
    ]);
    expect(steps(report)).toEqual(['prepare', 'restore', 'compare', 'remove']);
    expect(await left()).toEqual([]);
  });

  it('finds a SQLite database that was damaged when it was backed up', async () => {
    const database = new DatabaseSync(lab.path('bad.db'), {
      allowExtension: false,
      defensive: false,
    } as never);
    database.exec(
      'CREATE TABLE notes (id INTEGER PRIMARY KEY, a TEXT, b TEXT); CREATE INDEX by_a ON notes (a)',
    );
    database.exec("INSERT INTO notes (a, b) VALUES ('x', 'y'), ('z', 'w')");
    database.exec(
      "PRAGMA writable_schema = on; UPDATE sqlite_schema SET sql = replace(sql, '(a)', '(b)') WHERE name = 'by_a'",
    );
    database.close();
    await lab.must(['source', 'add', 'bad', 'sqlite', lab.path('bad.db')]);
    await lab.backUp('bad');
    const ended = await drill('--source', 'bad');
    expect([ended.code, ended.json.error.code]).toEqual([4, 'VERIFY_FAILED']);
    expect(drillsOf(ended)[0]!.problems.join()).toMatch(/by_a/);
    expect(await left()).toEqual([]);
    await lab.must(['source', 'remove', 'bad']);
  });

  it('restores trees and streams, and removes them', async () => {
    for (const source of ['docs', 'dump']) {
      const report = await goodDrill('latest', '--source', source);
      expect(report).toMatchObject({ source, ok: true, tables: [] });
      expect(steps(report)).toEqual(['prepare', 'restore', 'remove']);
    }
    expect(await left()).toEqual([]);
    const refused = await drill('--source', 'docs', '--on', 'postgres://me@localhost/');
    expect([refused.code, refused.json.error.code]).toEqual([2, 'USAGE']);
  });

  it('that is stopped removes its directory; one that is killed leaves it to the next', async () => {
    const start = () =>
      lab.start(['verify', '--restore-drill', '--source', 'docs'], { environment: { TMPDIR: temporary } });
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const running = start();
      await until(async () => (await left()).length > 0);
      running.child.kill(signal);
      const ended = await running.ended;
      expect(ended.code ?? ended.signal).toBe(signal === 'SIGINT' ? 130 : 'SIGKILL');
      expect((await left()).length).toBe(signal === 'SIGINT' ? 0 : 1);
    }
    await goodDrill('--source', 'docs');
    expect(await left()).toEqual([]);
  });

  it('of a source that has no snapshot, or is not known, says so', async () => {
    const ended = await drill('--source', 'nothing');
    expect([ended.code, ended.json.error.code]).toEqual([2, 'NOT_FOUND']);
  });
});
