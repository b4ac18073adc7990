import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { setImmediate as breathe } from 'node:timers/promises';
import { Attachments } from './chat-attachments.ts';
import { INDEXES, TABLES, TRIGGERS_AND_VIEWS } from './chat-schema.ts';
import { emoji, messageBody, personName, sentence, word } from './chat-text.ts';
import { SeededRandom } from './random.ts';

export interface ChatOptions {
  readonly seed: number;
  /** 1 makes about 230 MiB; everything grows in proportion. */
  readonly scale: number;
  /** Told the share of rows that are there. */
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

/** Rows asked for; chance makes some of the last three kinds twice, and the second one is left out. */
export interface ChatSize {
  readonly users: number;
  readonly channels: number;
  readonly memberships: number;
  readonly messages: number;
  readonly attachments: number;
  readonly reactions: number;
}

/** 1 January 2025; the service is a year old. */
export const YEAR_START = 1_735_689_600;
export const YEAR = 365 * 86_400;
const BATCH = 5_000;

export const chatSize = (scale: number): ChatSize => ({
  users: Math.ceil(4_000 * scale),
  channels: Math.ceil(400 * scale),
  memberships: Math.ceil(60_000 * scale),
  messages: Math.ceil(500_000 * scale),
  attachments: Math.ceil(1_600 * scale),
  reactions: Math.ceil(400_000 * scale),
});

/** Makes the database of a chat service with a year of messages: the same rows for the same seed and scale. */
export async function makeChatDatabase(path: string, options: ChatOptions): Promise<void> {
  const database = new DatabaseSync(path);
  try {
    // Nothing is lost if the machine dies meanwhile: the file would simply be made again.
    database.exec('PRAGMA journal_mode = off; PRAGMA synchronous = off; PRAGMA cache_size = -65536');
    database.exec('PRAGMA user_version = 7; PRAGMA application_id = 0x63686174');
    database.exec(TABLES);
    await fill(database, options);
    database.exec(INDEXES);
    database.exec(`INSERT INTO recent_search (rowid, body)
      SELECT id, body FROM messages WHERE sent_at > ${YEAR_START + YEAR - 30 * 86_400}`);
    database.exec(TRIGGERS_AND_VIEWS);
    database.exec('ANALYZE; PRAGMA journal_mode = wal');
  } finally {
    database.close();
  }
}

async function fill(database: DatabaseSync, options: ChatOptions): Promise<void> {
  const size = chatSize(options.scale);
  const random = new SeededRandom(options.seed);
  const rows = new Rows(database, random, size);
  const total = Object.values(size).reduce((sum, count) => sum + count, 0);
  let done = 0;
  for (const [table, count] of Object.entries(size) as [keyof ChatSize, number][]) {
    for (let first = 1; first <= count; first += BATCH) {
      options.signal?.throwIfAborted();
      const after = Math.min(count + 1, first + BATCH);
      database.exec('BEGIN');
      for (let id = first; id < after; id++) rows[table](id);
      database.exec('COMMIT');
      done += after - first;
      options.onProgress?.(done / total);
      await breathe();
    }
  }
}

/** One row of each table by its number; filled in the order of `ChatSize`. */
class Rows {
  readonly #random: SeededRandom;
  readonly #size: ChatSize;
  readonly #attachments: Attachments;
  readonly #insert: Record<keyof ChatSize, StatementSync>;

  constructor(database: DatabaseSync, random: SeededRandom, size: ChatSize) {
    this.#random = random;
    this.#size = size;
    this.#attachments = new Attachments(random);
    const insert = (table: string, columns: string): StatementSync => {
      const marks = columns.replace(/\w+/g, '?');
      return database.prepare(`INSERT OR IGNORE INTO ${table} (${columns}) VALUES (${marks})`);
    };
    this.#insert = {
      users: insert('users', 'id, handle, display_name, email, settings, avatar, created_at, last_seen_at'),
      channels: insert('channels', 'id, name, topic, kind, created_by, created_at'),
      memberships: insert('memberships', 'channel_id, user_id, role, joined_at, last_read'),
      messages: insert('messages', 'id, channel_id, author_id, sent_at, edited_at, reply_to, body'),
      attachments: insert('attachments', 'id, message_id, file_name, media_type, content'),
      reactions: insert('reactions', 'message_id, user_id, emoji, reacted_at'),
    };
  }

  users(id: number): void {
    const random = this.#random;
    const name = personName(random);
    const handle = `${name.split(' ')[0]!.toLowerCase()}${id}`;
    const email = `${handle}@${word(random)}.example`;
    const settings = JSON.stringify({
      theme: random.pick(['dark', 'light']),
      digest: random.below(24),
      muted: [],
    });
    const avatar = random.chance(0.3) ? Buffer.from(`<svg><!-- ${sentence(random, 30)} --></svg>`) : null;
    const since = YEAR_START + random.below(YEAR / 2);
    this.#insert.users.run(id, handle, name, email, settings, avatar, since, since + random.below(YEAR / 2));
  }

  channels(id: number): void {
    const random = this.#random;
    const kind = random.pick(['public', 'public', 'private', 'direct']);
    const topic = random.chance(0.7) ? sentence(random, 8) : null;
    const by = 1 + random.below(this.#size.users);
    this.#insert.channels.run(id, `${word(random)}-${word(random)}-${id}`, topic, kind, by, YEAR_START + id);
  }

  memberships(): void {
    const random = this.#random;
    const [channel, user] = [1 + random.skewedBelow(this.#size.channels), 1 + random.below(this.#size.users)];
    const read = random.chance(0.8) ? 1 + random.below(this.#size.messages) : null;
    const role = random.chance(0.05) ? 'moderator' : 'member';
    this.#insert.memberships.run(channel, user, role, YEAR_START + random.below(YEAR), read);
  }

  messages(id: number): void {
    const random = this.#random;
    const sent = YEAR_START + Math.floor(((id - random.next() / 2 ** 32) / this.#size.messages) * YEAR);
    const channel = 1 + random.skewedBelow(this.#size.channels);
    const reply = id > 50 && random.chance(0.15) ? id - 1 - random.below(50) : null;
    const edited = random.chance(0.03) ? sent + random.below(600) : null;
    const author = 1 + random.skewedBelow(this.#size.users);
    this.#insert.messages.run(id, channel, author, sent, edited, reply, messageBody(random));
  }

  attachments(id: number): void {
    const { name, mediaType, content } = this.#attachments.next();
    const message = Math.floor((id / (this.#size.attachments + 1)) * this.#size.messages) + 1;
    this.#insert.attachments.run(id, message, name, mediaType, content);
  }

  reactions(id: number): void {
    const random = this.#random;
    const message = Math.floor((id / (this.#size.reactions + 1)) * this.#size.messages) + random.below(9) + 1;
    const user = 1 + random.below(this.#size.users);
    const at = YEAR_START + YEAR * (id / this.#size.reactions) + random.below(1000) / 1000;
    this.#insert.reactions.run(Math.min(message, this.#size.messages), user, emoji(random), at);
  }
}
