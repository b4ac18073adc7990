import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { messageBody } from '../../tools/demo/chat-text.ts';
import { SeededRandom } from '../../tools/demo/random.ts';
import { ChatRows } from './chat-rows.ts';
import { INDEXES, TABLE_NAMES, TABLES } from './chat-schema.ts';
import { chatSize } from './chat-size.ts';

const SEED = 50;
const FIRST = 'chat_first';
/** So much text goes to the server at a time. */
const PIECE = 1 << 18;

export const EDITS = ['scattered', 'newest'] as const;
export type Edit = (typeof EDITS)[number];

/** A chat service's database after a year: made once, and copied for each round. */
export class ChatDatabase {
  readonly server: PostgresServer;
  /** The copy that is backed up. */
  readonly name = 'chat';
  readonly #messages: number;

  private constructor(server: PostgresServer, messages: number) {
    this.server = server;
    this.#messages = messages;
  }

  static async make(server: PostgresServer, bytes: number): Promise<ChatDatabase> {
    const size = chatSize(bytes);
    await server.createDatabase(FIRST);
    await server.query(TABLES, FIRST);
    const rows = new ChatRows(size, SEED);
    for (const table of TABLE_NAMES) await copyIn(server, FIRST, table, rows.lines(table));
    await server.query(INDEXES, FIRST);
    await server.query('vacuum analyze', FIRST);
    return new ChatDatabase(server, size.messages);
  }

  /** The first state, as no program has seen it yet. */
  async reset(): Promise<void> {
    await this.server.query(`drop database if exists ${this.name}`);
    await this.server.query(`create database ${this.name} template ${FIRST} strategy file_copy`);
  }

  async bytes(): Promise<number> {
    const [row] = await this.server.query(`select pg_database_size('${this.name}')::float8 as bytes`);
    return row.bytes;
  }

  /** New texts for a share of the messages, the same ones in each round. Neither vacuum nor analyse follows. */
  async edit(which: Edit, share: number): Promise<void> {
    const { server, name } = this;
    const wanted = Math.ceil(this.#messages * share);
    const random = new SeededRandom(SEED + 1 + EDITS.indexOf(which));
    const chosen =
      which === 'newest' ? last(this.#messages, wanted) : anywhere(random, this.#messages, wanted);
    await server.query('create table edits (id bigint, body text)', name);
    await copyIn(server, name, 'edits', lines(chosen, random));
    await server.query(
      `update messages set body = edits.body, edited_at = '2026-01-01' from edits where messages.id = edits.id;
       drop table edits`,
      name,
    );
  }

  /** What is in a database: its tables' numbers of rows, and sums that do not depend on the order of rows. */
  async contents(database: string): Promise<string> {
    const sums = TABLE_NAMES.map(
      (table) => `select '${table}' as name, count(*)::text as rows,
        sum(hashtextextended(t::text, 0)::numeric)::text as sum, sum(hashtextextended(t::text, 1)::numeric)::text as other
        from ${table} t`,
    );
    const indexes = `select 'indexes', count(*)::text, '', '' from pg_indexes where schemaname = 'public'`;
    return JSON.stringify(
      await this.server.query(`${[...sums, indexes].join(' union all ')} order by 1`, database),
    );
  }
}

function* anywhere(random: SeededRandom, messages: number, wanted: number): Generator<number> {
  const seen = new Set<number>();
  while (seen.size < wanted) {
    const id = 1 + random.below(messages);
    if (seen.has(id)) continue;
    seen.add(id);
    yield id;
  }
}

function* last(messages: number, wanted: number): Generator<number> {
  for (let id = messages - wanted + 1; id <= messages; id++) yield id;
}

function* lines(ids: Iterable<number>, random: SeededRandom): Generator<string> {
  for (const id of ids) yield `${id}\t${messageBody(random)}`;
}

async function copyIn(
  server: PostgresServer,
  database: string,
  table: string,
  rows: Iterable<string>,
): Promise<void> {
  const args = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-c', `copy ${table} from stdin`];
  const child = spawn(join(server.programs, 'psql'), args, {
    env: server.environment(database),
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const ended = once(child, 'close');
  await pipeline(Readable.from(inPieces(rows)), child.stdin);
  const [code] = await ended;
  if (code !== 0) throw new Error(`psql could not fill ${table}`);
}

function* inPieces(rows: Iterable<string>): Generator<string> {
  let piece = '';
  for (const row of rows) {
    piece += `${row}\n`;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}
