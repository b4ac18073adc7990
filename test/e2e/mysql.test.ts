import { readFile, writeFile } from 'node:fs/promises';
import { MariadbServer } from '@holdfast/testing/servers/mariadb-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lab } from './support/lab.ts';
import type { BackupOutput } from './support/output.ts';
import { storedFiles } from './support/peer-disks.ts';
import { checkSeparation } from './support/separation.ts';
import { until } from './support/until.ts';

const missing = await MariadbServer.missing();

/** Users with a column family, messages over a year in monthly windows, a table without a key, and one object of each other kind. */
const CHAT = `
  CREATE TABLE users (id bigint PRIMARY KEY, name varchar(80) NOT NULL, email varchar(200) NOT NULL, phone varchar(40),
    avatar blob, settings json, shout varchar(100) GENERATED ALWAYS AS (upper(name)) STORED) COMMENT 'who writes';
  CREATE TABLE messages (id bigint AUTO_INCREMENT PRIMARY KEY, author bigint NOT NULL, created_at datetime(3) NOT NULL,
    body text CHARACTER SET utf8mb4 NOT NULL, place point, kind enum('text','image') DEFAULT 'text', price decimal(20,6),
    INDEX by_author (author, created_at), FULLTEXT INDEX words (body),
    CONSTRAINT written_by FOREIGN KEY (author) REFERENCES users (id)) AUTO_INCREMENT = 20001;
  CREATE TABLE visits (who varchar(80) CHARACTER SET latin1, at timestamp NULL, flags bit(9));
  CREATE TABLE nothing (id int PRIMARY KEY);
  INSERT INTO users (id, name, email, phone, avatar, settings)
    SELECT seq, concat('user ', seq), concat('u', seq, '@example.org'), concat('+43 ', seq), unhex(md5(seq)), json_object('n', seq)
    FROM seq_1_to_500;
  INSERT INTO messages (id, author, created_at, body, place, kind, price)
    SELECT seq, 1 + seq % 500, timestampadd(minute, 43 * seq, '2025-12-01'), concat(md5(seq), repeat(' chat 💬', seq % 40)),
      if(seq % 3, point(seq, seq / 3), NULL), if(seq % 7, 'text', 'image'), if(seq % 5, seq / 7, NULL)
    FROM seq_1_to_12000;
  INSERT INTO visits SELECT concat('üser ', seq % 50), timestampadd(second, seq, '2026-01-01'), seq % 512 FROM seq_1_to_500;
  CREATE VIEW recent AS SELECT id, body FROM messages WHERE created_at > '2026-06-01';
  CREATE FUNCTION twice(n int) RETURNS int DETERMINISTIC RETURN 2 * n;
  CREATE PROCEDURE hello() SELECT 'hello';
  CREATE TRIGGER stamped BEFORE INSERT ON visits FOR EACH ROW SET NEW.flags = 1;
  CREATE EVENT weekly ON SCHEDULE EVERY 1 WEEK DO DELETE FROM nothing;
  CREATE SEQUENCE numbers START WITH 100;
  SELECT nextval(numbers);`;

/** Lines of a dump that differ though nothing does: when it was made, and of what. */
function normalised(dump: string): string[] {
  return dump
    .split('\n')
    .filter((line) => !/^-- (Dump completed|Host:|MariaDB dump|Dumping \w+ for database)/.test(line))
    .map((line) => line.replace(/^(\/\*!\d+ )?(ALTER DATABASE|USE) `[^`]*`/, '$1$2'));
}

function firstDifference(a: string[], b: string[]): string | null {
  const at = a.findIndex((line, i) => line !== b[i]);
  if (at < 0) return a.length === b.length ? null : `${b.length - a.length} more lines`;
  return `line ${at}:\n  ${a[at]?.slice(0, 300)}\n  ${b[at]?.slice(0, 300)}`;
}

describe.skipIf(missing)(`MariaDB${missing ? ` (${missing})` : ''}`, () => {
  let lab: Lab;
  let server: MariadbServer;
  let password: string;
  let first: BackupOutput;

  beforeAll(async () => {
    [lab, server] = await Promise.all([
      Lab.up({ peers: 5, k: 3, m: 2, operators: 5 }),
      MariadbServer.start(),
    ]);
    password = lab.path('password');
    await writeFile(password, `${server.password}\n`, { mode: 0o600 });
    await server.createDatabase('chat');
    await server.query(CHAT, 'chat');
    await lab.must([
      ...['source', 'add', 'chat', 'mysql', address('chat'), '--password-file', password],
      ...['--family', 'users.pii=email,phone', '--time', 'messages=created_at'],
    ]);
  });
  afterAll(async () => {
    await lab?.down();
    await server?.[Symbol.asyncDispose]();
  });

  const address = (database: string): string =>
    `mysql://${server.user}@${server.host}:${server.port}/${database}`;
  const restore = (id: string, to: string, ...more: string[]) => {
    const login = to.startsWith('mysql:') ? ['--password-file', password] : [];
    return lab.must(['restore', id, '--to', to, ...login, ...more]);
  };
  const dumpOf = async (database: string): Promise<string[]> => {
    const options = [
      '--routines',
      '--events',
      '--triggers',
      '--hex-blob',
      '--order-by-primary',
      '--skip-extended-insert',
    ];
    return normalised(await server.dump(database, options));
  };
  const same = async (a: string, b: string): Promise<string | null> =>
    firstDifference(await dumpOf(a), await dumpOf(b));

  it('is backed up and restored, the same by mariadb-dump’s own judgement', async () => {
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
    await server.query(
      `UPDATE messages SET body = concat(body, '!') WHERE id % 50 = 7; DELETE FROM messages WHERE id % 50 = 8`,
      'chat',
    );
    const edited = await lab.backUp('chat');
    expect(edited.snapshot.totals.newBytes).toBeLessThan(0.04 * before.bytes);
    await restore(edited.snapshot.id, address('edited'));
    expect(await same('chat', 'edited')).toBeNull();
    await restore(first.snapshot.id, address('old'));
    expect(await same('old', 'copy')).toBeNull();
  });

  it('is drilled: every row counted and summed, events left alone, nothing left behind', async () => {
    const ended = await lab.must(['verify', '--restore-drill', '--source', 'chat']);
    const [report] = (
      ended.json as unknown as {
        drills: { ok: boolean; rows: number; tables: { table: string; same: boolean }[] }[];
      }
    ).drills;
    expect(report!.ok).toBe(true);
    expect(new Set(report!.tables.map(({ table }) => table))).toEqual(
      new Set(['users', 'messages', 'visits', 'nothing']),
    );
    expect(report!.rows).toBe(500 + 11_760 + 500);
    expect(await scratchDatabases()).toEqual([]);
  });

  it('a drill that is killed leaves its database to the next', async () => {
    const args = ['verify', '--restore-drill', '--source', 'chat'];
    for (const signal of ['SIGKILL', 'SIGINT'] as const) {
      const before = await scratchDatabases();
      const running = lab.start(args);
      await until(async () =>
        (await scratchDatabases()).some((name) => !before.includes(name) && name.endsWith('_partial')),
      );
      running.child.kill(signal);
      await running.ended;
      expect((await scratchDatabases()).length > 0).toBe(signal === 'SIGKILL');
    }
  });

  it('is restored without a column family, which can be put back later', async () => {
    await restore('latest', address('nopii'), '--without', 'users.pii');
    const [without] = await server.query(
      'SELECT count(*) AS n, count(phone) AS phones, max(email) AS email FROM users',
      'nopii',
    );
    expect(without).toMatchObject({ n: 500, phones: 0, email: null });
    await restore('latest', address('nopii'), '--put-back', '--family', 'users.pii');
    expect(await same('chat', 'nopii')).toBeNull();
  });

  it('gives single tables, windows and ranges, to files and databases', async () => {
    const csv = lab.path('march.csv');
    await restore('latest', csv, '--table', 'messages', '--window', '2026-03');
    const [{ n }] = await server.query(
      `SELECT count(*) AS n FROM messages WHERE created_at >= '2026-03-01' AND created_at < '2026-04-01'`,
      'chat',
    );
    expect((await readFile(csv, 'utf8')).trimEnd().split('\n')).toHaveLength(Number(n) + 1);

    const some = lab.path('some.ndjson');
    await restore('latest', some, '--table', 'messages', '--where', 'id between 10000 and 10049');
    const rows = (await readFile(some, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const expected = await server.query(
      'SELECT id, body FROM messages WHERE id BETWEEN 10000 AND 10049 ORDER BY id',
      'chat',
    );
    expect(rows.map(({ id, body }) => ({ id: Number(id), body }))).toEqual(expected);

    await restore('latest', address('one'), '--table', 'visits');
    const tables = await server.query(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'one' AND table_type = 'BASE TABLE'`,
    );
    expect(tables).toEqual([{ name: 'visits' }]);
    const checksum = async (database: string): Promise<unknown> =>
      (await server.query('CHECKSUM TABLE visits EXTENDED', database))[0].Checksum;
    expect(await checksum('one')).toBe(await checksum('chat'));
  });

  it('refuses to write over a database, unless told to', async () => {
    const refused = await lab.run([
      ...['restore', first.snapshot.id, '--to', address('copy'), '--password-file', password],
    ]);
    expect(refused.json.error.code).toBe('ALREADY_EXISTS');
    await restore(first.snapshot.id, address('one'), '--overwrite');
    expect(await same('one', 'copy')).toBeNull();
  });

  it('tells what is wrong, and never the password', async () => {
    const wrong = lab.path('wrong');
    await writeFile(wrong, 'open sesame\n', { mode: 0o600 });
    await lab.must(['source', 'add', 'locked', 'mysql', address('chat'), '--password-file', wrong]);
    const refused = await lab.run(['backup', 'locked']);
    expect(refused.json.error).toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: expect.stringMatching(/password/i),
    });
    expect(refused.stderr + refused.stdout).not.toContain('open sesame');
    const spoken = await lab.run(['source', 'add', 'x', 'mysql', 'mysql://me:secret@localhost/chat']);
    expect(spoken.json.error.code).toBe('USAGE');
    expect(spoken.stderr + spoken.stdout).not.toContain('secret');
  });

  const scratchDatabases = async (): Promise<string[]> =>
    (
      await server.query(
        "SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE 'holdfast\\\\_drill%'",
      )
    ).map(({ name }) => name);
});
