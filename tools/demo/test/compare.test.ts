import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeChatDatabase } from '../chat-database.ts';
import { editChatDatabase } from '../chat-edits.ts';
import { compareDatabases } from '../compare.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-compare-'));
const original = join(directory, 'original.db');
const signal = new AbortController().signal;

beforeAll(() => makeChatDatabase(original, { seed: 3, scale: 0.01 }));
afterAll(() => rmSync(directory, { recursive: true }));

/** Differences between the original and a copy to which `sql` was done. */
async function differencesAfter(sql: string): Promise<readonly string[]> {
  const copy = join(directory, 'copy.db');
  copyFileSync(original, copy);
  const database = new DatabaseSync(copy);
  database.exec(`PRAGMA writable_schema = on; ${sql}`);
  database.close();
  return (await compareDatabases(original, copy, signal)).differences;
}

describe('the comparison of a restored database with its original', () => {
  test('finds nothing between copies', async () => {
    const copy = join(directory, 'same.db');
    copyFileSync(original, copy);
    const { differences, sameFile, rows } = await compareDatabases(original, copy, signal);
    expect(differences).toEqual([]);
    expect(sameFile).toBe(true);
    expect(rows).toBeGreaterThan(9_000);
  });

  test('finds nothing where only the file was laid out anew', async () => {
    expect(await differencesAfter('VACUUM')).toEqual([]);
  });

  test.each([
    ['a changed text', 'UPDATE users SET handle = upper(handle) WHERE id = 7'],
    [
      'a missing row',
      'DELETE FROM memberships WHERE channel_id = 1 AND user_id = (SELECT min(user_id) FROM memberships WHERE channel_id = 1)',
    ],
    ['an additional row', "INSERT INTO revisions (message_id, revised_at, old_body) VALUES (1, 1, '')"],
    ['one byte of a BLOB', "UPDATE attachments SET content = substr(content, 2) || x'00' WHERE id = 3"],
    [
      'a number of another type',
      'UPDATE channels SET topic = CAST(topic AS BLOB) WHERE topic IS NOT NULL AND id < 3',
    ],
    [
      'a value where there was none',
      'UPDATE messages SET reply_to = 1 WHERE id = 60 AND reply_to IS NULL OR id = 61',
    ],
    [
      'full-text content',
      "UPDATE recent_search SET body = 'other' WHERE rowid = (SELECT max(rowid) FROM recent_search)",
    ],
    ['a sequence', 'UPDATE sqlite_sequence SET seq = seq + 1'],
    ['a missing index', 'DROP INDEX replies'],
    ['another trigger', 'DROP TRIGGER message_edited'],
    ['another version', 'PRAGMA user_version = 8'],
  ])('finds %s', async (_, sql) => {
    expect(await differencesAfter(sql)).not.toEqual([]);
  });
});

describe('the database of the demo', () => {
  test('is the same for the same seed, and another for another', async () => {
    const [same, other] = [join(directory, 'again.db'), join(directory, 'other.db')];
    await makeChatDatabase(same, { seed: 3, scale: 0.01 });
    await makeChatDatabase(other, { seed: 4, scale: 0.01 });
    expect((await compareDatabases(original, same, signal)).differences).toEqual([]);
    expect((await compareDatabases(original, other, signal)).differences).not.toEqual([]);
  });

  test('changes by the share of rows asked for', async () => {
    const copy = join(directory, 'edited.db');
    copyFileSync(original, copy);
    const database = new DatabaseSync(copy);
    const { updated, inserted, deleted } = editChatDatabase(database, { seed: 1, fraction: 0.01 });
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    expect(database.prepare('PRAGMA foreign_key_check').all()).toEqual([]);
    database.close();
    const { rows } = await compareDatabases(original, original, signal);
    const share = (updated + inserted + deleted) / rows;
    expect(share).toBeGreaterThan(0.008);
    expect(share).toBeLessThan(0.013);
  });
});
