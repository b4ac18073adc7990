import { HoldfastError } from '@holdfast/contracts';
import type { Catalog, TableFacts } from './catalog.ts';
import { TIME_TYPES, WINDOWS, type WindowKind } from './time-windows.ts';

/** What of the database is backed up, and how its rows are divided. Tables are `NAME` or `DATABASE.NAME`. */
export interface SelectionOptions {
  /** Patterns for tables and views, with `*` and `?`. Default: all. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** Columns by table and family: `{users: {pii: ['email', 'phone']}}`. */
  readonly families?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** The column that says when a row was written, by table. Window: a month, unless said. */
  readonly time?: Readonly<
    Record<string, string | { readonly column: string; readonly window?: WindowKind }>
  >;
}

export interface SelectedTable {
  readonly table: TableFacts;
  readonly families: ReadonlyMap<string, readonly string[]>;
  readonly time: { readonly column: string; readonly window: WindowKind } | null;
}

export interface Selection {
  readonly tables: readonly SelectedTable[];
  readonly views: readonly string[];
  readonly sequences: readonly string[];
}

/** CONFIG_INVALID when a table or column that is named does not exist, or cannot be used in that way. */
export function select(catalog: Catalog, database: string, options: SelectionOptions): Selection {
  const chosen = chooser(database, options);
  const byName = new Map(catalog.tables.map((table) => [table.name, table]));
  const all = [...byName.keys(), ...catalog.views, ...catalog.sequences];
  checkNames(all, database, options);
  const families = perTable(options.families, database, byName, 'families');
  const time = perTable(options.time, database, byName, 'time');
  return {
    tables: catalog.tables
      .filter(({ name }) => chosen(name))
      .map((table) => ({
        table,
        families: familiesOf(table, families.get(table.name)),
        time: timeOf(table, time.get(table.name)),
      })),
    views: catalog.views.filter(chosen),
    sequences: catalog.sequences.filter(chosen),
  };
}

function chooser(database: string, { include, exclude }: SelectionOptions): (name: string) => boolean {
  const matches = (patterns: readonly string[], name: string): boolean =>
    patterns.some((pattern) => {
      const match = globOf(pattern);
      return match.test(name) || match.test(`${database}.${name}`);
    });
  return (name) => (!include || matches(include, name)) && !(exclude && matches(exclude, name));
}

const globOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    'su',
  );

/** A misspelt name must not leave a table out, or in. */
function checkNames(all: readonly string[], database: string, options: SelectionOptions): void {
  const known = new Set(all.flatMap((name) => [name, `${database}.${name}`]));
  for (const key of ['include', 'exclude'] as const) {
    const lost = options[key]?.find((pattern) => !/[*?]/.test(pattern) && !known.has(pattern));
    if (lost !== undefined) throw noTable(lost, database, key);
  }
}

function perTable<T>(
  settings: Readonly<Record<string, T>> | undefined,
  database: string,
  tables: ReadonlyMap<string, TableFacts>,
  key: string,
): Map<string, T> {
  const found = new Map<string, T>();
  for (const [given, value] of Object.entries(settings ?? {})) {
    const prefix = `${database}.`;
    const name = tables.has(given) || !given.startsWith(prefix) ? given : given.slice(prefix.length);
    if (!tables.has(name)) throw noTable(given, database, key);
    found.set(name, value);
  }
  return found;
}

const noTable = (name: string, database: string, key: string): HoldfastError =>
  invalid(`${key} names ${name}, but database ${database} has no such table`, {
    hint: 'Check the name, or that the user has rights to see it.',
  });

const invalid = (message: string, options: { hint: string }): HoldfastError =>
  new HoldfastError('CONFIG_INVALID', message, options);

function familiesOf(
  table: TableFacts,
  families: Readonly<Record<string, readonly string[]>> | undefined,
): ReadonlyMap<string, readonly string[]> {
  const found = new Map(Object.entries(families ?? {}));
  const taken = new Set<string>();
  for (const [family, columns] of found) {
    if (table.key.length === 0)
      throw invalid(`Table ${table.name} has column families but no key to join their rows by`, {
        hint: 'Give it a primary key, or take its families out of the configuration.',
      });
    for (const column of columns) {
      const fact = table.columns.find((each) => each.name === column);
      const problem = !fact
        ? 'the table does not have'
        : table.key.includes(column)
          ? 'is part of the key'
          : fact.generated
            ? 'the server computes'
            : taken.has(column)
              ? 'is in another family too'
              : null;
      if (problem)
        throw invalid(`Family ${family} of table ${table.name} names column ${column}, which ${problem}`, {
          hint: 'Name columns that hold data and are not part of the key, each in one family.',
        });
      taken.add(column);
    }
  }
  return found;
}

function timeOf(
  table: TableFacts,
  setting: string | { readonly column: string; readonly window?: WindowKind } | undefined,
): SelectedTable['time'] {
  if (setting === undefined) return null;
  const { column, window = 'month' } = typeof setting === 'string' ? { column: setting } : setting;
  const fact = table.columns.find((each) => each.name === column);
  if (!fact || !TIME_TYPES.has(fact.dataType) || fact.rowTime)
    throw invalid(`Table ${table.name} has no column ${column} of type DATE, DATETIME or TIMESTAMP`, {
      hint: 'Name one that says when a row was written.',
    });
  if (!WINDOWS.includes(window))
    throw invalid(`Window ${String(window)} of table ${table.name} is none of ${WINDOWS.join(', ')}`, {
      hint: 'Choose one of these.',
    });
  return { column, window };
}
