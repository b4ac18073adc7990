import type { RowsWindow } from '@holdfast/formats/rows';
import { rowsFingerprint } from './fingerprints.ts';
import { ident, literal, qualified } from './quote.ts';
import type { Session } from './session.ts';
import { tableName } from './table-facts.ts';
import type { TableLayout } from './table-layout.ts';
import { predicate, windowFrom, windowNameSql, windowStartSql } from './time-windows.ts';

/** Rows of a table that make up one object for each family. */
export interface TablePart {
  readonly window: RowsWindow | null;
  /** Null: nobody counted. */
  readonly rows: number | null;
  /** First and last value of the key's first column, in SQL; null: not known. */
  readonly bounds: { readonly first: string; readonly last: string } | null;
  readonly fingerprint: string | null;
}

export interface SurveyOptions {
  readonly fingerprints: boolean;
  /** The server's. */
  readonly version: number;
}

/** Types for which `min` and `max` exist in all versions, and whose text means the same value again. */
export const ORDERED_TYPES: readonly number[] = [20, 21, 23, 26, 25, 1043, 1082, 1114, 1184, 1700];

/** SQL for the rows that are kept, all of them or those of a window. */
export function rowsCondition(layout: TableLayout, window: RowsWindow | null): string[] {
  const { condition } = layout.table;
  const own = condition === null ? [] : [`(${condition.replace(/^\s*where\s/i, '')})`];
  return window ? [...own, predicate(window)] : own;
}

export const where = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;

/**
 * The windows that have rows, by one look at each row: neither its long values nor an index are read. Empty for a table
 * without rows.
 */
export async function surveyTable(
  session: Session,
  layout: TableLayout,
  { fingerprints, version }: SurveyOptions,
): Promise<TablePart[]> {
  const { table, time } = layout;
  const what = `table ${tableName(table)}`;
  const from = `from only ${qualified(table.schema, table.name)}${where(rowsCondition(layout, null))}`;
  if (!time && !fingerprints) {
    const [row] = await session.query(`select exists (select ${from}) as found`, what);
    return row!.found === 't' ? [{ window: null, rows: null, bounds: null, fingerprint: null }] : [];
  }
  const first = layout.key[0];
  const ordered = first !== undefined && ORDERED_TYPES.includes(first.baseOid);
  const bounds = ordered
    ? `min(${ident(first.name)}) as first, max(${ident(first.name)}) as last`
    : 'null as first, null as last';
  const sum = fingerprints ? rowsFingerprint(version) : 'null::numeric';
  // Windows are named once each, not once a row.
  const rows = await session.query(
    `select ${time ? windowNameSql('start') : 'null'} as start, sum(rows) as rows, min(first)::text as first, max(last)::text as last, sum(sum) as sum
     from (select ${time ? windowStartSql(time) : 'null'} as start, count(*) as rows, ${bounds}, ${sum} as sum ${from} group by 1) found
     group by 1 order by 1`,
    what,
  );
  return rows.map((row) => ({
    window: time && windowFrom(time, row.start ?? null),
    rows: Number(row.rows),
    bounds:
      row.first != null && row.last != null ? { first: literal(row.first), last: literal(row.last) } : null,
    fingerprint: row.sum == null ? null : `${row.rows}/${row.sum}`,
  }));
}
