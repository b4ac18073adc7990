import { HoldfastError } from '@holdfast/contracts';
import { invalid } from './options.ts';
import { type Table, tableName } from './table-facts.ts';

interface Named {
  readonly schema: string;
  readonly name: string;
}
type Pattern = (table: Named) => boolean;

/** Compiles `SCHEMA.TABLE` or `TABLE` with `*` and `?`; a pattern without a dot means every schema. */
export function tablePattern(pattern: string): Pattern {
  if (pattern === '') throw invalid('A pattern for tables is empty');
  const expression = new RegExp(
    `^${pattern.includes('.') ? glob(pattern) : `[^]*\\.${glob(pattern)}`}$`,
    'u',
  );
  return (table) => expression.test(tableName(table));
}

const glob = (pattern: string): string =>
  Array.from(pattern, (c) =>
    c === '*' ? '[^]*' : c === '?' ? '[^]' : c.replace(/[\\^$.|+()[\]{}]/, '\\$&'),
  ).join('');

/** Those that any of `include` and none of `exclude` names. A pattern without wildcards that names no table is CONFIG_INVALID. */
export function chooseTables(
  tables: readonly Table[],
  include: readonly string[] | undefined,
  exclude: readonly string[] | undefined,
): Table[] {
  if (include?.length === 0)
    throw new HoldfastError('CONFIG_INVALID', 'include names no tables: nothing would be backed up', {
      hint: 'Leave it out to back up all tables.',
    });
  for (const pattern of [...(include ?? []), ...(exclude ?? [])])
    if (!/[*?]/.test(pattern)) findTable(tables, pattern);
  const wanted = (include ?? ['*.*']).map(tablePattern);
  const unwanted = (exclude ?? []).map(tablePattern);
  // A pattern that names a partitioned table means its partitions.
  const names = (table: Table): Named[] => [table, ...table.ancestors];
  const isNamed = (table: Table, patterns: readonly Pattern[]): boolean =>
    patterns.some((fits) => names(table).some(fits));
  return tables.filter((table) => isNamed(table, wanted) && !isNamed(table, unwanted));
}

/** The one table of that name (`TABLE` or `SCHEMA.TABLE`). CONFIG_INVALID, with names that are near. */
export function findTable(tables: readonly Table[], name: string): Table {
  const exact = tables.filter((table) => tableName(table) === name);
  const found = exact.length > 0 ? exact : tables.filter((table) => table.name === name);
  if (found.length === 1) return found[0]!;
  if (found.length > 1)
    throw invalid(
      `More than one table is called ${name}: ${found.map(tableName).join(', ')}`,
      'Name its schema too.',
    );
  const near = nearest(
    name,
    tables.map((table) => (name.includes('.') ? tableName(table) : table.name)),
  );
  throw invalid(`There is no table ${name}`, near && `Did you mean ${near}?`);
}

/** The candidate that takes fewest edits, if they are few. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(name.length / 3));
  let best: string | undefined;
  let least = limit + 1;
  for (const candidate of candidates) {
    const edits = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
