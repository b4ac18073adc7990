import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseDigest } from './support/database.ts';
import { Lab } from './support/lab.ts';
import type { BackupOutput } from './support/output.ts';
import { damagedFiles, storedFiles } from './support/peer-disks.ts';
import { checkSeparation } from './support/separation.ts';

/** As many peers as shards: every peer has a shard of every partition. */
const PLAN = { peers: 5, k: 3, m: 2, operators: 5 };
const STOCK = 1_000_000;
const WRITER = fileURLToPath(new URL('./support/sqlite-writer.ts', import.meta.url));

let lab: Lab;
let path: string;
let restored = 0;
let writer: ChildProcess | null = null;

beforeAll(async () => {
  lab = await Lab.up(PLAN);
  path = lab.path('shop.db');
  const database = new DatabaseSync(path);
  database.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE stock (id INTEGER PRIMARY KEY, left INTEGER);
    CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT, amount INTEGER, body BLOB);
    CREATE TABLE plain (name TEXT PRIMARY KEY, twice TEXT GENERATED ALWAYS AS (name || name)) WITHOUT ROWID;
    CREATE INDEX by_amount ON orders (amount);
    CREATE VIEW large AS SELECT * FROM orders WHERE amount > 5;
    CREATE TRIGGER note AFTER DELETE ON orders BEGIN INSERT INTO plain (name) VALUES (old.id); END;
    INSERT INTO stock VALUES (1, ${STOCK});
    BEGIN;`);
  const insert = database.prepare('INSERT INTO orders (amount, body) VALUES (0, randomblob(2000))');
  for (let row = 0; row < 6_000; row++) insert.run();
  database.exec('DELETE FROM orders WHERE id % 1000 = 0; COMMIT');
  database.close();
  await lab.must(['source', 'add', 'shop', 'sqlite', path]);
});

afterAll(async () => {
  writer?.kill('SIGKILL');
  await lab?.down();
});

async function restore(id: string): Promise<string> {
  const target = lab.path(`restored-${++restored}.db`);
  await lab.must(['restore', id, '--to', target]);
  return target;
}

describe('a live SQLite database', () => {
  let first: BackupOutput;

  it('is backed up consistently while another process writes to it', async () => {
    writer = spawn(process.execPath, [WRITER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(writer.stdout!, 'data');
    const before = rows(path);
    first = await lab.backUp('shop');
    const after = rows(path);
    expect(writer.exitCode).toBeNull();
    expect(after.orders).toBeGreaterThan(before.orders);
    writer.kill('SIGKILL');
    await once(writer, 'exit');

    expect(first).toMatchObject({ ok: true, problems: [], headPeers: PLAN.peers });
    const copy = await restore(first.snapshot.id);
    databaseDigest(copy);
    const found = rows(copy);
    expect(found.orders).toBeGreaterThanOrEqual(before.orders);
    expect(found.orders).toBeLessThanOrEqual(after.orders);
    expect(found.left + found.sold).toBe(STOCK);
  });

  it('sends little for a small change, and both snapshots come back row by row', async () => {
    const older = databaseDigest(await restore(first.snapshot.id));
    const database = new DatabaseSync(path);
    database.exec('UPDATE orders SET body = randomblob(2000) WHERE id % 100 = 1');
    database.close();
    const second = await lab.backUp('shop');
    expect(second.snapshot.totals.newBytes).toBeLessThan(first.snapshot.totals.bytes / 5);
    expect(second.snapshot.totals.storedBytes).toBeLessThan(first.snapshot.totals.storedBytes / 3);
    expect(databaseDigest(await restore(second.snapshot.id))).toBe(databaseDigest(path));
    expect(databaseDigest(await restore(first.snapshot.id))).toBe(older);
  });

  it('comes back with m peers dead, and with m + 1 dead the command says what is missing', async () => {
    await lab.kill(1, 4);
    expect(databaseDigest(await restore('latest'))).toBe(databaseDigest(path));

    await lab.kill(2);
    const target = lab.path('impossible.db');
    const failed = await lab.run(['restore', 'latest', '--to', target]);
    expect(failed.code).toBe(5);
    expect(failed.json.error.code).toBe('TOO_FEW_SHARDS');
    expect(failed.json.error.hint).toBeTruthy();
    for (const name of ['peer-1', 'peer-2', 'peer-4']) expect(failed.json.error.message).toContain(name);
    const partitions = failed.json.error.details.partitions as {
      have: number;
      need: number;
      bad: object[];
    }[];
    expect(partitions[0]).toMatchObject({ have: 2, need: 3 });
    expect(partitions[0]!.bad).toHaveLength(3);
    expect(() => rows(target)).toThrow();

    await lab.startPeers(1, 2, 4);
    expect(databaseDigest(await restore('latest'))).toBe(databaseDigest(path));
    await rm(path);
    expect(databaseDigest(await restore('latest'))).toMatch(/^[0-9a-f]{64}$/);
  });

  it('never gave a peer two shards of one partition', async () => {
    const files = await storedFiles(lab.peers());
    expect(files.length).toBeGreaterThan(20);
    expect((await checkSeparation(lab, files)).violations).toEqual([]);
    expect(await damagedFiles(files)).toEqual([]);
  });
});

function rows(database: string): { orders: number; sold: number; left: number } {
  const opened = new DatabaseSync(database, { readOnly: true });
  try {
    const row = opened
      .prepare(
        'SELECT count(*) AS orders, total(amount) AS sold, (SELECT left FROM stock) AS left FROM orders',
      )
      .get()!;
    return { orders: Number(row.orders), sold: Number(row.sold), left: Number(row.left) };
  } finally {
    opened.close();
  }
}
