import type { PartitionLabel } from '@holdfast/contracts';
import type { RowsDescription, RowsWindow } from '@holdfast/formats/rows';
import type { MysqlConnection } from '../connection.ts';
import { quoteName, quotePath } from '../quoting.ts';
import { type ColumnFacts, type TableFacts, WITHOUT_ROWS } from './catalog.ts';
import { columnForm, selectExpression } from './column-forms.ts';
import type { SelectedTable } from './selection.ts';
import { daysQuery, windowCondition, windowsOf } from './time-windows.ts';

/** Smaller tables share partitions with others. */
const LARGE_TABLE_BYTES = 16 * 1024 * 1024;

/** One object of kind `rows`, before it is read. */
export interface RowPlan {
  readonly table: TableFacts;
  readonly description: RowsDescription;
  readonly select: string;
  readonly label: PartitionLabel | undefined;
  /** Known to have no rows. */
  readonly empty: boolean;
}

/** Divides a table into objects. Asks the snapshot which windows have rows. */
export async function planTable(
  selected: SelectedTable,
  database: string,
  connection: MysqlConnection,
): Promise<readonly RowPlan[]> {
  const { table, families, time } = selected;
  if (WITHOUT_ROWS.has(table.engine)) return [];
  const windows = await windowsWithRows(selected, connection);
  const empty = windows?.length === 0 || (families.size > 0 && (await isEmpty(table, connection)));
  const parts = empty ? [null] : [null, ...families.keys()];
  const plans: RowPlan[] = [];
  for (const family of parts)
    for (const window of empty ? [null] : (windows ?? [null]))
      plans.push({
        table,
        description: describe(selected, database, family, window),
        select: selectOf(table, columnsOf(selected, family), window),
        label: labelOf(table, family, window, families.size > 0),
        empty: empty && time !== null,
      });
  return plans;
}

async function windowsWithRows(
  { table, time }: SelectedTable,
  connection: MysqlConnection,
): Promise<readonly RowsWindow[] | null> {
  if (time === null) return null;
  const rows = await connection.rows(daysQuery(table.name, time.column), `table ${table.name}`);
  const column = table.columns.find(({ name }) => name === time.column)!;
  return windowsOf(
    rows.map((row) => row.day!),
    column,
    time.window,
  );
}

async function isEmpty({ name }: TableFacts, connection: MysqlConnection): Promise<boolean> {
  const rows = await connection.rows(`SELECT 1 AS one FROM ${quoteName(name)} LIMIT 1`, `table ${name}`);
  return rows.length === 0;
}

/** The key, then the rest of the family's columns in the order of the table. */
function columnsOf({ table, families }: SelectedTable, family: string | null): readonly ColumnFacts[] {
  const taken = new Set([...families.values()].flat());
  const own = family === null ? null : new Set(families.get(family));
  const isOwn = ({ name }: ColumnFacts): boolean => (own ? own.has(name) : !taken.has(name));
  const key = table.key.map((name) => table.columns.find((column) => column.name === name)!);
  return [...key, ...table.columns.filter((each) => !each.generated && !key.includes(each) && isOwn(each))];
}

const describe = (
  selected: SelectedTable,
  database: string,
  family: string | null,
  window: RowsWindow | null,
): RowsDescription => ({
  dialect: 'mysql',
  schema: database,
  table: selected.table.name,
  family,
  window,
  columns: columnsOf(selected, family).map(columnForm),
  keyColumns: selected.table.key.length,
});

/**
 * In the order of the key. The hint keeps the optimiser from sorting the whole table first; of a window it may well be
 * better to read an index on the time column, and to sort that.
 */
function selectOf(table: TableFacts, columns: readonly ColumnFacts[], window: RowsWindow | null): string {
  const from = quoteName(table.name);
  const what = columns.map((column) => selectExpression(table.name, column)).join(', ');
  const where = window === null ? '' : ` WHERE ${windowCondition(table.name, window)}`;
  if (table.keyName === null) return `SELECT SQL_NO_CACHE ${what} FROM ${from}${where}`;
  const hint = window === null ? ` FORCE INDEX FOR ORDER BY (${quoteName(table.keyName)})` : '';
  const order = table.key.map((name) => quotePath(table.name, name)).join(', ');
  return `SELECT SQL_NO_CACHE ${what} FROM ${from}${hint}${where} ORDER BY ${order}`;
}

function labelOf(
  table: TableFacts,
  family: string | null,
  window: RowsWindow | null,
  divided: boolean,
): PartitionLabel | undefined {
  if (!divided && window === null && table.bytes < LARGE_TABLE_BYTES) return undefined;
  const when = window?.label ?? 'all';
  const name = escaped(table.name);
  return {
    name: `${name}.${escaped(family ?? 'main')}.${when}`,
    kind: family !== null ? 'column' : window !== null ? 'temporal' : 'row',
    group: divided ? `${name}.${when}` : null,
  };
}

const escaped = (name: string): string => name.replace(/[%.]/g, (c) => (c === '%' ? '%25' : '%2E'));
