import type { RowsColumn } from '@holdfast/formats/rows';
import { isBinaryType } from '../export/binary-types.ts';
import { findTable, nearest } from './choose-tables.ts';
import { invalid, type PostgresSourceOptions, WINDOWS, type Window } from './options.ts';
import { type Column, FIRST_LOCAL_OID, hasRows, type Table, tableName } from './table-facts.ts';

/** Columns of a table that become objects of their own. */
export interface Family {
  /** Null: the columns in no family. */
  readonly name: string | null;
  /** Key columns first. */
  readonly columns: readonly Column[];
}

export interface TimeColumn {
  readonly column: Column;
  readonly window: Window;
}

/** How one table's rows become objects. */
export interface TableLayout {
  readonly table: Table;
  readonly key: readonly Column[];
  /** In the order of their paths: `family-…` comes before `main`. */
  readonly families: readonly Family[];
  readonly time: TimeColumn | null;
  readonly binary: boolean;
}

const DATE = 1082;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;
export const TIME_TYPES: readonly number[] = [DATE, TIMESTAMP, TIMESTAMPTZ];

type Families = Readonly<Record<string, readonly string[]>>;
type Wanted = Pick<PostgresSourceOptions, 'families' | 'time'>;

/** CONFIG_INVALID when families or times name what is not there, or cannot be. */
export function layOut(all: readonly Table[], chosen: readonly Table[], wanted: Wanted): TableLayout[] {
  const families = byTable(all, wanted.families ?? {});
  const times = byTable(all, wanted.time ?? {});
  return chosen.filter(hasRows).map((table) => {
    const key = table.key.map((name) => columnOf(table, name));
    const time = times.get(table.oid);
    return {
      table,
      key,
      families: familiesOf(table, key, families.get(table.oid) ?? {}),
      time: time === undefined ? null : timeOf(table, time),
      binary: table.columns.every((column) => isBinaryType(column.baseOid)),
    };
  });
}

/** What is said of a partitioned table holds for its partitions, unless something is said of them. */
function byTable<T>(all: readonly Table[], wanted: Readonly<Record<string, T>>): Map<string, T> {
  const own = new Map<string, T>();
  const inherited = new Map<string, T>();
  for (const [name, value] of Object.entries(wanted)) {
    const table = findTable(all, name);
    if (table.kind === 'f')
      throw invalid(`${tableName(table)} is a foreign table: its rows are not backed up`);
    const found = table.kind === 'p' ? inherited : own;
    for (const each of table.kind === 'p' ? partitionsOf(all, table) : [table]) {
      if (found.has(each.oid))
        throw invalid(`${tableName(each)} is named twice: ${name} is one of the names`);
      found.set(each.oid, value);
    }
  }
  return new Map([...inherited, ...own]);
}

const partitionsOf = (all: readonly Table[], parent: Table): Table[] =>
  all.filter(
    (table) => hasRows(table) && table.ancestors.some((each) => tableName(each) === tableName(parent)),
  );

function columnOf(table: Table, name: string): Column {
  const column = table.columns.find((each) => each.name === name);
  if (column) return column;
  const near = nearest(
    name,
    table.columns.map((each) => each.name),
  );
  throw invalid(
    `Table ${tableName(table)} has no column ${name} (generated columns do not count)`,
    near && `Did you mean ${near}?`,
  );
}

function familiesOf(table: Table, key: readonly Column[], wanted: Families): Family[] {
  const where = tableName(table);
  const taken = new Map<Column, string>();
  const families: Family[] = [];
  for (const [name, columnNames] of Object.entries(wanted)) {
    if (key.length === 0)
      throw invalid(
        `Table ${where} has no key that would hold its families together`,
        'Give it a primary key.',
      );
    if (name === '') throw invalid(`A family of table ${where} has no name`);
    if (columnNames.length === 0) throw invalid(`Family ${name} of table ${where} has no columns`);
    const columns = columnNames.map((each) => columnOf(table, each));
    for (const column of columns) {
      if (key.includes(column))
        throw invalid(
          `${column.name} is part of the key of ${where}, which is in every family`,
          'Leave it out.',
        );
      const other = taken.get(column);
      if (other !== undefined)
        throw invalid(`Column ${column.name} of ${where} is in two families: ${other}, ${name}`);
      taken.set(column, name);
    }
    families.push({ name, columns: [...key, ...columns] });
  }
  const rest = table.columns.filter((column) => !key.includes(column) && !taken.has(column));
  return [...families, { name: null, columns: [...key, ...rest] }];
}

function timeOf(
  table: Table,
  wanted: string | { readonly column: string; readonly window?: Window },
): TimeColumn {
  const given = typeof wanted === 'string' ? { column: wanted } : wanted;
  const window = given.window ?? 'month';
  if (!WINDOWS.includes(window)) throw invalid(`A window is one of ${WINDOWS.join(', ')}, not ${window}`);
  const column = columnOf(table, given.column);
  if (!TIME_TYPES.includes(column.baseOid))
    throw invalid(
      `Column ${column.name} of ${tableName(table)} is of type ${column.type}`,
      'Windows need a column of type timestamptz, timestamp or date.',
    );
  return { column, window };
}

export const rowsColumn = (column: Column, binary: boolean): RowsColumn => ({
  name: column.name,
  type: column.type,
  typeId: column.baseOid < FIRST_LOCAL_OID ? column.baseOid : 0,
  encoding: binary ? 'binary' : 'text',
  notNull: column.notNull,
});
