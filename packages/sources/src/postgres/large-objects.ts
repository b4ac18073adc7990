import { MAX_ROW_BYTES, pathFromText } from '@holdfast/contracts';
import type { RowsDescription } from '@holdfast/formats/rows';
import type { RowsObject } from './rows-objects.ts';
import type { LargeObjectFact } from './schema-facts.ts';

/** A page's tuple: a count, three lengths, an oid, a page number; and all of it must fit into a row. */
const TUPLE_OVERHEAD = 2 + 3 * 4 + 4 + 8;
/** Bytes of a large object in one row. Part of the format: page numbers count in it. */
export const LARGE_OBJECT_PAGE = MAX_ROW_BYTES - 1024;

if (LARGE_OBJECT_PAGE + TUPLE_OVERHEAD > MAX_ROW_BYTES)
  throw new Error('A page of a large object must fit into a row.');

const column = (name: string, type: string, typeId: number): RowsDescription['columns'][number] => ({
  name,
  type,
  typeId,
  encoding: 'binary',
  notNull: true,
});

const DESCRIPTION: RowsDescription = {
  dialect: 'postgres',
  schema: 'pg_catalog',
  table: 'pg_largeobject',
  family: null,
  window: null,
  columns: [column('loid', 'oid', 26), column('pageno', 'bigint', 20), column('data', 'bytea', 17)],
  keyColumns: 2,
};

/** 0x40000: for reading. 2: from the end. The table of pages itself only superusers may read. */
export const LARGE_OBJECT_PAGES = `
  select m.oid, p.number, lo_get(m.oid, p.number * ${LARGE_OBJECT_PAGE}, ${LARGE_OBJECT_PAGE})
  from (select oid from pg_largeobject_metadata order by oid offset 0) m,
  lateral (
    select size from (
      select fd, lo_lseek64(fd, 0, 2) as size from (select lo_open(m.oid, 262144) as fd offset 0) opened offset 0
    ) sized where lo_close(fd) = 0 offset 0
  ) s,
  lateral generate_series(0::int8, (s.size - 1) / ${LARGE_OBJECT_PAGE}) p(number)
  where s.size > 0`;

/** Null where the database has no large objects. They get no fingerprint: who may read their pages' versions is a superuser. */
export function largeObjects(facts: readonly LargeObjectFact[]): RowsObject | null {
  if (facts.length === 0) return null;
  return {
    rowsPath: pathFromText('3-large-objects/rows'),
    indexPath: pathFromText('3-large-objects/rows-index'),
    description: DESCRIPTION,
    fetches: [
      {
        sql: `copy (${LARGE_OBJECT_PAGES}) to stdout (format binary)`,
        what: 'the large objects',
        seam: null,
      },
    ],
    fingerprint: null,
    label: null,
  };
}
