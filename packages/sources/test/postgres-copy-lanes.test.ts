import type { RowsDescription } from '@holdfast/formats/rows';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CopyLanes } from '../src/postgres/restore/copy-lanes.ts';
import { copyTarget } from '../src/postgres/restore/copy-target.ts';
import { BATCH_BYTES, BatchBuffers, RowsLoader } from '../src/postgres/restore/rows-loader.ts';
import { encodeTuple } from '../src/rows/tuple-splitter.ts';
import { coded } from './postgres-restore-helpers.ts';

const missing = await PostgresServer.missing();

const text = (name: string) =>
  ({ name, type: 'text', typeId: 25, encoding: 'text', notNull: false }) as const;
const description = (table: string, columns: RowsDescription['columns']): RowsDescription => ({
  dialect: 'postgres',
  schema: 'public',
  table,
  family: null,
  window: null,
  columns,
  keyColumns: 0,
});
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

describe.skipIf(missing !== null)('rows over several connections', () => {
  let server: PostgresServer;
  let clients: pg.Client[] = [];
  beforeAll(async () => {
    server = await PostgresServer.start();
    clients = await Promise.all([1, 2, 3].map(() => server.connect()));
    await server.query(
      'CREATE TABLE texts (a text, b text); CREATE TABLE binaries (id int, raw bytea); CREATE TABLE picky (id int CHECK (id < 5))',
    );
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.end()));
    await server?.[Symbol.asyncDispose]();
  });

  async function load(rows: RowsDescription, content: Buffer, pieces: readonly number[]): Promise<number> {
    const lanes = new CopyLanes(clients);
    const target = copyTarget(rows, `"${rows.table}"`);
    const loader = new RowsLoader(lanes, new BatchBuffers(), target, rows.columns.length);
    let at = 0;
    for (let i = 0; at < content.length; i++) {
      const piece = Buffer.from(content.subarray(at, at + pieces[i % pieces.length]!));
      await loader.write(at, piece);
      at += piece.length;
      // Borrowed until the promise settles, and no longer.
      piece.fill(0xee);
    }
    const { rows: counted } = await loader.complete(content.length);
    await lanes.drain();
    return counted;
  }

  test('any texts, cut anywhere', async () => {
    const field = fc.option(
      fc.oneof(
        fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0') && value.isWellFormed()),
        fc.constantFrom('\\N', '\\.', '\\', 'a\tb', 'a\nb', 'a\r\nb', '\\n', '', '\u{10ffff}', '\b\f\v\x7f'),
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(field, field), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
        async (rows, pieces) => {
          await server.query('TRUNCATE texts');
          const content = Buffer.concat(
            rows.map((row) => encodeTuple(row.map((value) => (value === null ? null : Buffer.from(value))))),
          );
          expect(await load(description('texts', [text('a'), text('b')]), content, pieces)).toBe(rows.length);
          const found = (await server.query('SELECT a, b FROM texts')).map(({ a, b }) =>
            JSON.stringify([a, b]),
          );
          expect(found.sort()).toEqual(rows.map((row) => JSON.stringify(row)).sort());
        },
      ),
      { numRuns: 60 },
    );
  });

  test.each([
    ['small', 10],
    ['of a batch', BATCH_BYTES - 16],
    ['longer than a batch', 3 * BATCH_BYTES],
    ['longer than is copied', 20 * BATCH_BYTES],
  ])('rows that are %s', async (_, bytes) => {
    await server.query('TRUNCATE binaries');
    const long = Buffer.alloc(bytes, 'abc');
    const content = Buffer.concat(
      [1, 2, 3].flatMap((id) => [encodeTuple([int32(id), long]), encodeTuple([int32(-id), null])]),
    );
    const columns = [
      { name: 'id', type: 'integer', typeId: 23, encoding: 'binary', notNull: false },
      { name: 'raw', type: 'bytea', typeId: 17, encoding: 'binary', notNull: false },
    ] as const;
    expect(await load(description('binaries', columns), content, [1_000_003])).toBe(6);
    expect(
      await server.query(
        'SELECT id, length(raw), md5(raw) = md5($1::bytea) AS same FROM binaries ORDER BY abs(id), id DESC',
        'postgres',
        [long],
      ),
    ).toEqual(
      [1, 2, 3].flatMap((id) => [
        { id, length: bytes, same: true },
        { id: -id, length: null, same: null },
      ]),
    );
  });

  test('what the server refuses is told with its place, and without its data', async () => {
    const content = Buffer.concat([1, 2, 777].map((id) => encodeTuple([Buffer.from(String(id))])));
    const loading = load(description('picky', [text('id')]), content, [5]);
    await expect(loading).rejects.toThrow(
      coded('TARGET_UNWRITABLE', /table public\.picky: .*check constraint.*line 3/),
    );
    await expect(loading).rejects.not.toThrow(/777/);
    const odd = load(description('picky', [text('id')]), encodeTuple([Buffer.from('secret')]), [5]);
    await expect(odd).rejects.toThrow(coded('TARGET_UNWRITABLE', /line 1, column id\)$/));
    // The connections are as good as before.
    expect(await load(description('picky', [text('id')]), encodeTuple([Buffer.from('3')]), [5])).toBe(1);
  });
});
