import { type ChunkId, type ChunkLocation, fromHex, toHex } from '@holdfast/contracts';
import type { CompiledQuery, InsertQueryBuilder, InsertResult } from 'kysely';
import type { Query, Schema } from '../schema.ts';

type ChunkRow = Schema['chunk'];

/** Rows or ids in one statement; below SQLite's limit on parameters, and few enough sizes to keep them all prepared. */
const LARGEST_BATCH = 256;

/**
 * The hot statements on the table of chunks. Building a query costs more than running it here, so the text for each
 * batch size (powers of two) is built once and run with other parameters.
 */
export class ChunkTable {
  readonly #inserts = new Map<number, CompiledQuery>();
  readonly #updates = new Map<number, CompiledQuery>();
  readonly #finds = new Map<number, CompiledQuery<ChunkRow>>();

  /** Chunks that the table has already move to the place given. @returns how many were new */
  async put(query: Query, chunks: readonly (readonly [ChunkId, ChunkLocation])[]): Promise<number> {
    let inserted = 0;
    for (const batch of batches(chunks)) {
      const rows = batch.map(([id, location]): ChunkRow => ({ id: fromHex(id), ...location }));
      const fresh = await this.#write(this.#inserts, query, rows, (c) => c.doNothing());
      inserted += fresh;
      if (fresh < rows.length) await this.#write(this.#updates, query, rows, replacing);
      // A long transaction of short statements; the rest of the program gets its turn in between.
      await new Promise(setImmediate);
    }
    return inserted;
  }

  async find(query: Query, ids: readonly ChunkId[]): Promise<Map<ChunkId, ChunkLocation>> {
    const found = new Map<ChunkId, ChunkLocation>();
    for (const batch of batches(ids)) {
      const keys = batch.map(fromHex);
      const text = memo(this.#finds, keys.length, () => {
        return query.selectFrom('chunk').selectAll().where('id', 'in', keys).compile();
      });
      const { rows } = await query.executeQuery<ChunkRow>({ ...text, parameters: keys });
      for (const { id, partition, frame, offset, length } of rows) {
        found.set(toHex(id) as ChunkId, { partition, frame, offset, length });
      }
    }
    return found;
  }

  /** @returns how many rows were written */
  async #write(
    texts: Map<number, CompiledQuery>,
    query: Query,
    rows: readonly ChunkRow[],
    known: ConflictRule,
  ): Promise<number> {
    const text = memo(texts, rows.length, () =>
      query.insertInto('chunk').values(rows).onConflict(known).compile(),
    );
    const parameters = rows.flatMap((row) => [row.id, row.partition, row.frame, row.offset, row.length]);
    const { numAffectedRows = 0n } = await query.executeQuery({ ...text, parameters });
    return Number(numAffectedRows);
  }
}

type ConflictRule = Parameters<InsertQueryBuilder<Schema, 'chunk', InsertResult>['onConflict']>[0];

const replacing: ConflictRule = (c) =>
  c.column('id').doUpdateSet((e) => ({
    partition: e.ref('excluded.partition'),
    frame: e.ref('excluded.frame'),
    offset: e.ref('excluded.offset'),
    length: e.ref('excluded.length'),
  }));

/** As large as may be, in sizes that are powers of two. */
function* batches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; ) {
    const size = Math.min(LARGEST_BATCH, 2 ** Math.floor(Math.log2(items.length - at)));
    yield items.slice(at, at + size);
    at += size;
  }
}

function memo<V>(map: Map<number, V>, key: number, make: () => V): V {
  const known = map.get(key) ?? make();
  map.set(key, known);
  return known;
}
