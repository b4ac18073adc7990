import type { DatabaseSync } from 'node:sqlite';
import { YEAR, YEAR_START } from './chat-database.ts';
import { messageBody } from './chat-text.ts';
import { SeededRandom } from './random.ts';

export interface Edits {
  readonly updated: number;
  readonly inserted: number;
  readonly deleted: number;
}

/** What an hour of use does to the rows, in parts of all changes: mostly news and edits, all over the place. */
const SHARES = { edits: 0.4, reads: 0.2, news: 0.25, deletions: 0.15 };

/**
 * Changes `fraction` of all rows of messages and memberships in one transaction: scattered edits, new messages at the
 * end, deletions anywhere. Triggers add revisions, search entries and removed reactions on top of the rows counted.
 */
export function editChatDatabase(database: DatabaseSync, options: { seed: number; fraction: number }): Edits {
  const random = new SeededRandom(options.seed);
  const count = (table: string): number =>
    Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()!.n);
  const [messages, memberships] = [count('messages'), count('memberships')];
  const others = count('users') + count('channels') + count('attachments') + count('reactions');
  const changes = Math.ceil((messages + memberships + others) * options.fraction);
  const some = (share: number): number => Math.ceil(changes * share);
  database.exec('PRAGMA foreign_keys = on; BEGIN IMMEDIATE');
  const inserted = say(database, random, some(SHARES.news));
  const updated = edit(database, random, some(SHARES.edits)) + read(database, random, some(SHARES.reads));
  const deleted = remove(database, random, some(SHARES.deletions));
  database.exec('COMMIT');
  return { updated, inserted, deleted };
}

function say(database: DatabaseSync, random: SeededRandom, wanted: number): number {
  const [channels, users] = [ids(database, 'channels'), ids(database, 'users')];
  const insert = database.prepare(
    'INSERT INTO messages (channel_id, author_id, sent_at, body) VALUES (?, ?, ?, ?)',
  );
  for (let i = 0; i < wanted; i++) {
    const [channel, author] = [1 + random.skewedBelow(channels), 1 + random.skewedBelow(users)];
    insert.run(channel, author, YEAR_START + YEAR + i, messageBody(random));
  }
  return wanted;
}

function edit(database: DatabaseSync, random: SeededRandom, wanted: number): number {
  const last = ids(database, 'messages');
  const update = database.prepare('UPDATE messages SET body = ?, edited_at = ? WHERE id = ?');
  return repeat(wanted, () =>
    update.run(messageBody(random), YEAR_START + YEAR + random.below(3600), 1 + random.below(last)),
  );
}

function read(database: DatabaseSync, random: SeededRandom, wanted: number): number {
  const [channels, users, last] = ['channels', 'users', 'messages'].map((table) => ids(database, table));
  const update = database.prepare(
    `UPDATE memberships SET last_read = ?1 WHERE channel_id = ?2 AND user_id =
       (SELECT min(user_id) FROM memberships WHERE channel_id = ?2 AND user_id >= ?3)`,
  );
  return repeat(wanted, () =>
    update.run(last! - random.below(200), 1 + random.skewedBelow(channels!), 1 + random.below(users!)),
  );
}

function remove(database: DatabaseSync, random: SeededRandom, wanted: number): number {
  const last = ids(database, 'messages');
  const remove = database.prepare('DELETE FROM messages WHERE id = ?');
  return repeat(wanted, () => remove.run(1 + random.below(last)));
}

const ids = (database: DatabaseSync, table: string): number =>
  Number(database.prepare(`SELECT max(id) AS n FROM ${table}`).get()!.n);

/** Until so many rows were changed: a number drawn may be of a row that is gone already. */
function repeat(wanted: number, change: () => { changes: number | bigint }): number {
  let changed = 0;
  while (changed < wanted) changed += Math.min(1, Number(change().changes));
  return changed;
}
