import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HeldFiles } from '../src/sqlite/held-files.ts';
import { openReadView, type ReadView } from '../src/sqlite/read-view.ts';

const SECONDS = Number(process.env.HOLDFAST_STRESS_SECONDS ?? 2);
/** How much longer to look where a busy machine gave the writers no time to do what the test is about. */
const PATIENCE_SECONDS = 20;
const ACCOUNTS = 500;

let directory = '';
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-stress-')));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function createBank(path: string, pageSize: number, journalMode: string): void {
  const database = new DatabaseSync(path);
  database.exec(`
    PRAGMA page_size = ${pageSize}; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = ${journalMode};
    CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
    CREATE TABLE note (id INTEGER PRIMARY KEY, body BLOB, length INTEGER AS (length(body)) STORED);
    CREATE INDEX note_length ON note (length);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ACCOUNTS})
      INSERT INTO account SELECT i, 1000 FROM n;`);
  database.close();
}

/** Reads the image slowly, in pieces of one size, so that writers overtake it. */
async function readSlowly(view: ReadView, pieceBytes: number): Promise<Buffer> {
  const whole = Buffer.alloc(view.image.size);
  const pause = view.image.size / 20;
  let rested = 0;
  for (let position = 0; position < whole.length; ) {
    position += await view.image.read(position, whole.subarray(position, position + pieceBytes));
    if (position - rested > pause) {
      rested = position;
      await sleep(4);
    }
  }
  return whole;
}

function checkCopy(bytes: Buffer): void {
  const copy = join(directory, 'copy.db');
  writeFileSync(copy, bytes);
  const database = new DatabaseSync(copy);
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  expect(database.prepare('SELECT sum(balance) AS sum FROM account').get()).toEqual({ sum: ACCOUNTS * 1000 });
  database.close();
  for (const suffix of ['', '-wal', '-shm']) rmSync(copy + suffix, { force: true });
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test.each([
  { pageSize: 4096, journalMode: 'WAL', pieceBytes: 256 * 1024 },
  { pageSize: 512, journalMode: 'WAL', pieceBytes: 100_000 },
  { pageSize: 65536, journalMode: 'WAL', pieceBytes: 1024 * 1024 },
  { pageSize: 4096, journalMode: 'DELETE', pieceBytes: 1000 },
])(
  'every view equals what SQLite itself sees: $journalMode, $pageSize',
  async ({ pageSize, journalMode, pieceBytes }) => {
    const path = join(directory, 'live.db');
    createBank(path, pageSize, journalMode);
    const writer = join(import.meta.dirname, 'sqlite-writer.ts');
    const writers = [1, 2, 3].map((seed) =>
      spawn(process.execPath, [writer, path, String(seed * pageSize)], { stdio: 'inherit' }),
    );
    const seen = { views: 0, fromLog: 0, unusual: 0 };
    const states = new Set<string>();
    try {
      await sleep(400);
      const start = Date.now();
      const wanted = () => seen.views > 2 && states.size > 1 && (journalMode !== 'WAL' || seen.fromLog > 0);
      const enough = () => Date.now() - start > (wanted() ? SECONDS : SECONDS + PATIENCE_SECONDS) * 1000;
      while (!enough()) {
        const files = new HeldFiles(path);
        const view = await openReadView(files);
        if (view.kind === 'unusual') {
          seen.unusual += 1;
        } else {
          const bytes = await readSlowly(view, pieceBytes);
          // The oracle: SQLite's own serialisation within the very same transaction.
          const oracle = view.connection.database.serialize();
          expect(sha256(bytes)).toBe(sha256(oracle));
          checkCopy(bytes);
          states.add(sha256(bytes));
          seen.views += 1;
          if (view.image.pagesInLog > 0) seen.fromLog += 1;
          view.connection.close();
        }
        files.release();
      }
    } finally {
      for (const child of writers) child.kill('SIGKILL');
    }
    if (process.env.HOLDFAST_STRESS_SECONDS)
      console.log(journalMode, pageSize, seen, 'distinct', states.size);
    expect(seen.views).toBeGreaterThan(2);
    expect(states.size).toBeGreaterThan(1);
    expect(seen.unusual).toBe(0);
    if (journalMode === 'WAL') expect(seen.fromLog).toBeGreaterThan(0);
  },
  (SECONDS + PATIENCE_SECONDS + 30) * 1000,
);

test('a writer that commits without pause does not come between a view and its log', async () => {
  const path = join(directory, 'counter.db');
  const database = new DatabaseSync(path);
  database.exec(
    'PRAGMA journal_mode = WAL; CREATE TABLE counter (n INTEGER); INSERT INTO counter VALUES (0)',
  );
  database.close();
  const program = `
    const d = new (require('node:sqlite').DatabaseSync)(${JSON.stringify(path)}, { timeout: 5000 });
    d.exec('PRAGMA synchronous = OFF');
    const s = d.prepare('UPDATE counter SET n = n + 1');
    for (;;) try { s.run(); } catch {}`;
  const writer = spawn(process.execPath, ['-e', program], { stdio: 'inherit' });
  try {
    await sleep(400);
    let views = 0;
    const start = Date.now();
    const enough = () => Date.now() - start > (views > 20 ? SECONDS / 2 : SECONDS + PATIENCE_SECONDS) * 1000;
    for (; !enough(); views++) {
      const files = new HeldFiles(path);
      const view = await openReadView(files);
      if (view.kind === 'unusual') expect.fail(view.reason);
      const bytes = Buffer.alloc(view.image.size);
      await view.image.read(0, bytes);
      expect(bytes.equals(view.connection.database.serialize())).toBe(true);
      view.connection.close();
      files.release();
    }
    expect(views).toBeGreaterThan(20);
  } finally {
    writer.kill('SIGKILL');
  }
});
