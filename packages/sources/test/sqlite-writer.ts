/**
 * One of several processes that write to a database until killed: transfers between accounts, whose sum stays, beside
 * inserts, deletes and blobs of all sizes. Arguments: path, seed.
 */
import { DatabaseSync } from 'node:sqlite';

const [path = '', seedText = '1'] = process.argv.slice(2);
let state = Number(seedText) * 2654435761;
const random = (below: number): number => {
  state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0;
  return ((state ^ (state >>> 13)) >>> 0) % below;
};

const database = new DatabaseSync(path, { timeout: 20_000 });
database.exec(
  `PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = ${20 + random(300)}; PRAGMA cache_size = 30`,
);
const take = database.prepare('UPDATE account SET balance = balance - ? WHERE id = ?');
const give = database.prepare('UPDATE account SET balance = balance + ? WHERE id = ?');
const insert = database.prepare('INSERT INTO note (body) VALUES (zeroblob(?) || randomblob(?))');
const remove = database.prepare(
  'DELETE FROM note WHERE id IN (SELECT id FROM note ORDER BY random() LIMIT ?)',
);
const count = database.prepare('SELECT count(*) AS n FROM note');

function transaction(): void {
  database.exec('BEGIN IMMEDIATE');
  for (let i = random(5); i >= 0; i--) {
    const amount = random(100);
    take.run(amount, 1 + random(500));
    give.run(amount, 1 + random(500));
  }
  for (let i = random(4); i > 0; i--)
    insert.run(random(200), random(10) === 0 ? random(300_000) : random(3000));
  const notes = Number(count.get()?.n);
  if (notes > 400) remove.run(random(notes));
  database.exec(random(8) === 0 ? 'ROLLBACK' : 'COMMIT');
}

const CHECKPOINTS = ['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE'];
for (;;) {
  try {
    transaction();
    if (random(40) === 0) database.exec(`PRAGMA wal_checkpoint(${CHECKPOINTS[random(4)]})`);
    if (random(300) === 0) database.exec('PRAGMA incremental_vacuum');
  } catch {
    // Locked for longer than the timeout, or by a checkpoint of another process: the next round tries again.
    if (database.isTransaction) database.exec('ROLLBACK');
  }
}
