import { HoldfastError } from '@holdfast/contracts';
import type { RowsDescription } from '@holdfast/formats/rows';

/** Which of a snapshot's rows are wanted; an empty list wants all. */
export interface RowSelection {
  /** `messages` or `public.messages`; `public.*`. */
  readonly tables: readonly string[];
  /** `users.pii` or `public.users.pii`; `main` is the family of the columns in none. */
  readonly families: readonly string[];
  readonly without: readonly string[];
  /** `2026-11`. */
  readonly windows: readonly string[];
}

export const EVERYTHING: RowSelection = { tables: [], families: [], without: [], windows: [] };

export const selectsAll = ({ tables, families, without, windows }: RowSelection): boolean =>
  tables.length + families.length + without.length + windows.length === 0;

type Facts = Pick<RowsDescription, 'schema' | 'table' | 'family' | 'window'>;

/** Windows and families say nothing of tables that have none of them. */
export function isSelected(rows: Facts, { tables, families, without, windows }: RowSelection): boolean {
  if (tables.length > 0 && !tables.some((name) => isTable(rows, name))) return false;
  if (families.length > 0 && !families.some((name) => isFamily(rows, name))) return false;
  if (without.some((name) => isFamily(rows, name))) return false;
  return windows.length === 0 || rows.window === null || windows.includes(rows.window.label);
}

/** NOT_FOUND for a name that none of the objects has: better than an export that silently lacks a table. */
export function checkSelection(all: readonly Facts[], selection: RowSelection): void {
  const { tables, families, without, windows } = selection;
  refuseUnknown('table', tables, (name) => all.some((rows) => isTable(rows, name)), all.map(tableName));
  const known = all.map((rows) => `${tableName(rows)}.${rows.family ?? 'main'}`);
  refuseUnknown(
    'column family',
    [...families, ...without],
    (name) => all.some((rows) => isFamily(rows, name)),
    known,
  );
  const labels = all.flatMap(({ window }) => window?.label ?? []);
  refuseUnknown('window', windows, (name) => labels.includes(name), labels);
}

function refuseUnknown(
  what: string,
  wanted: readonly string[],
  isKnown: (name: string) => boolean,
  known: string[],
): void {
  const unknown = wanted.filter((name) => !isKnown(name));
  if (unknown.length === 0) return;
  const names = [...new Set(known)].sort();
  const some = names.slice(0, 12).join(', ') + (names.length > 12 ? `, and ${names.length - 12} more` : '');
  throw new HoldfastError('NOT_FOUND', `The snapshot has no ${what} ${unknown.join(', ')}.`, {
    hint: names.length > 0 ? `It has: ${some}.` : `It has none at all.`,
  });
}

const tableName = ({ schema, table }: Facts): string => `${schema}.${table}`;

function isTable(rows: Facts, name: string): boolean {
  if (name.endsWith('.*')) return rows.schema === name.slice(0, -2);
  return name === rows.table || name === tableName(rows);
}

function isFamily(rows: Facts, name: string): boolean {
  const family = rows.family ?? 'main';
  return name === `${rows.table}.${family}` || name === `${tableName(rows)}.${family}`;
}
