import type { ChunkId, ChunkLocation, JournalFrame } from '@holdfast/contracts';
import { sql } from 'kysely';
import type { Query } from '../schema.ts';
import { ChunkTable } from './chunks.ts';
import { addToCounters } from './counters.ts';
import { storedFrames } from './stored.ts';

/** Chunks that may wait. Some 100 bytes of memory each, and a moment to read them back after a crash. */
const MAX_WAITING = 16_384;

/**
 * Where chunks lie. Their ids are random, so that each new one would dirty a page of the table of its own. Chunks of
 * complete partitions therefore wait in memory, and on disk in the frames that the journal had of them, until there are
 * so many that several of them share a page: a quarter of the work, a tenth of the bytes written.
 */
export class ChunkIndex {
  readonly #table = new ChunkTable();
  #waiting: Map<ChunkId, ChunkLocation> | null = null;
  #version = -1;

  /** After a transaction that was rolled back: what it had added is void. */
  forget(): void {
    this.#waiting = null;
  }

  async find(query: Query, ids: readonly ChunkId[]): Promise<(ChunkLocation | null)[]> {
    const waiting = await this.#load(query);
    const found = await this.#table.find(query, ids);
    return ids.map((id) => {
      // The table last: where a chunk was stored again, the newer place counts.
      const location = waiting.get(id) ?? found.get(id);
      return location ? { ...location } : null;
    });
  }

  /** The chunks of a partition that is complete now. */
  async add(query: Query, partition: number): Promise<void> {
    const waiting = await this.#load(query);
    const { completed } = await query
      .selectFrom('frames')
      .select((e) => e.fn.coalesce(e.fn.max('completed'), e.lit(0)).as('completed'))
      .executeTakeFirstOrThrow();
    const { frames } = await query
      .updateTable('frames')
      .set({ completed: completed + 1 })
      .where('partition', '=', partition)
      .returning('frames')
      .executeTakeFirstOrThrow();
    collect(waiting, partition, storedFrames(frames));
    if (waiting.size >= MAX_WAITING) await this.settle(query);
  }

  /** Moves all that wait into the table. */
  async settle(query: Query): Promise<void> {
    const waiting = await this.#load(query);
    if (waiting.size === 0) return;
    // In order of id, so that neighbours meet in one page.
    const sorted = [...waiting].sort(([a], [b]) => (a < b ? -1 : 1));
    const inserted = await this.#table.put(query, sorted);
    await query.deleteFrom('frames').where('completed', 'is not', null).execute();
    await addToCounters(query, { chunks: inserted });
    this.#waiting = new Map();
  }

  /** Different chunks that wait and are not in the table yet. */
  async countWaiting(query: Query): Promise<number> {
    const waiting = await this.#load(query);
    const known = await this.#table.find(query, [...waiting.keys()]);
    return waiting.size - known.size;
  }

  async #load(query: Query): Promise<Map<ChunkId, ChunkLocation>> {
    const version = await otherWritersVersion(query);
    if (this.#waiting && version === this.#version) return this.#waiting;
    const rows = await query
      .selectFrom('frames')
      .select(['partition', 'frames'])
      .where('completed', 'is not', null)
      .orderBy('completed')
      .execute();
    this.#waiting = new Map();
    this.#version = version;
    for (const row of rows) collect(this.#waiting, row.partition, storedFrames(row.frames));
    return this.#waiting;
  }
}

/** Changes whenever another connection has written: what this one remembers is then out of date. */
async function otherWritersVersion(query: Query): Promise<number> {
  const { rows } = await sql<{ data_version: number }>`pragma data_version`.execute(query);
  return rows[0]?.data_version ?? -1;
}

function collect(
  into: Map<ChunkId, ChunkLocation>,
  partition: number,
  frames: readonly JournalFrame[],
): void {
  for (const [frame, { chunks }] of frames.entries()) {
    let offset = 0;
    for (const { id, length } of chunks) {
      into.set(id, { partition, frame, offset, length });
      offset += length;
    }
  }
}
