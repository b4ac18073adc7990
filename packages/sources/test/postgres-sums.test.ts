import { decodeRowsDescription, type RowsDescription } from '@holdfast/formats/rows';
import type { MemorySourceObject } from '@holdfast/testing/memory-source';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { createTorture, createTortureRoles } from '@holdfast/testing/servers/postgres-torture';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DatabaseSums, databaseSums } from '../src/postgres/restore/index.ts';
import { RowSum } from '../src/rows/row-sum.ts';
import { objectsOf } from './postgres-objects.ts';
import { coded, restore, serverOptions } from './postgres-restore-helpers.ts';

const missing = (await PostgresServer.missing()) ?? (await PostgresServer.missing(17));
const ROW_KEY = new Uint8Array(32).fill(7);

/** Rows objects with what their content sums to, before any database sees it. */
function recorded(objects: readonly MemorySourceObject[]) {
  return objects
    .filter(({ kind }) => kind === 'rows')
    .map(({ attributes, content }) => {
      const description = decodeRowsDescription(attributes!.rows as Uint8Array);
      const sum = new RowSum({
        fields: description.columns.length,
        keyFields: description.keyColumns,
        rowKey: ROW_KEY,
      });
      sum.add(content!);
      return { description, rows: sum.rows, checksum: Buffer.from(sum.checksum()) };
    });
}

const nameOf = ({ schema, table }: RowsDescription): string => `${schema}.${table}`;

describe.skipIf(missing !== null)('sums of restored tables', () => {
  let server: PostgresServer;
  let objects: MemorySourceObject[];
  beforeAll(async () => {
    server = await PostgresServer.start();
    await createTorture(server, 'torture');
    objects = await objectsOf(server, 'torture');
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test('a database of PostgreSQL 15 restored to 17 sums to what it was made of', async () => {
    await using newer = await PostgresServer.start({ major: 17 });
    await createTortureRoles(newer);
    await restore(newer, objects, { jobs: 3 });
    await using sums = await DatabaseSums.connect({ ...serverOptions(newer), database: 'back' });
    const all = recorded(objects);
    expect(all.length).toBeGreaterThan(45);
    for (const { description, rows, checksum } of all) {
      const found = await sums.of(description, ROW_KEY);
      expect({ rows: found.rows, checksum: Buffer.from(found.checksum) }, nameOf(description)).toEqual({
        rows,
        checksum,
      });
    }
  });

  test.each([
    "UPDATE kinds.texts SET t = t || ' ' WHERE id = 1",
    'UPDATE kinds.texts SET c = NULL WHERE id = 2',
    'DELETE FROM kinds.texts WHERE id = 3',
    'INSERT INTO kinds.texts (id) VALUES (99)',
    "UPDATE kinds.texts SET raw = '\\x5c4f' WHERE id = 3",
  ])('and not when something is different: %s', async (change) => {
    const { description, checksum } = recorded(objects).find(
      (each) => nameOf(each.description) === 'kinds.texts',
    )!;
    const options = { ...serverOptions(server), database: 'torture' };
    const before = await databaseSums(options, description, ROW_KEY);
    expect(Buffer.from(before.checksum)).toEqual(checksum);
    const client = await server.connect('torture');
    // Undone by its opposite: what is read must be committed.
    await client.query('CREATE TABLE public.kept AS SELECT * FROM kinds.texts');
    try {
      await client.query(change);
      const after = await databaseSums(options, description, ROW_KEY);
      expect(Buffer.from(after.checksum)).not.toEqual(checksum);
    } finally {
      await client.query(
        'DELETE FROM kinds.texts; INSERT INTO kinds.texts SELECT * FROM public.kept; DROP TABLE public.kept',
      );
      await client.end();
    }
  });

  test('of a window', async () => {
    const { description } = recorded(objects).find((each) => nameOf(each.description) === 'kinds.times')!;
    const options = { ...serverOptions(server), database: 'torture' };
    const rows = async (label: string, from: string | null, to: string | null): Promise<number> =>
      (await databaseSums(options, { ...description, window: { label, column: 'd', from, to } }, ROW_KEY))
        .rows;
    expect(await rows('2026', '2026-01-01', '2027-01-01')).toBe(0);
    expect(await rows('old', null, '0001-01-01')).toBe(3);
    expect(await rows('late', '0001-01-01', null)).toBe(2);
    expect(await rows('none', null, null)).toBe(0);
  });

  test('a table that is not there', async () => {
    const { description } = recorded(objects)[0]!;
    await expect(
      databaseSums(
        { ...serverOptions(server), database: 'torture' },
        { ...description, table: 'gone' },
        ROW_KEY,
      ),
    ).rejects.toThrow(coded('SOURCE_CHANGED', /gone/));
  });
});
