import type pg from 'pg';
import type { TableFact } from '../schema-facts.ts';
import { literal, qualified, quoted } from './sql-names.ts';

interface ColumnState {
  readonly name: string;
  readonly required: boolean;
  readonly fallback: string | null;
}

/**
 * Columns whose values are not restored are null, not their default: that would look like data. Where they must not be null,
 * that is lifted. `restore` gives defaults back when the rows are in; `notes` says what was lifted.
 */
export async function leaveOut(
  client: pg.Client,
  table: TableFact,
  families: readonly string[],
): Promise<{ notes: string[]; restore: () => Promise<void> }> {
  const name = qualified(table.schema, table.name);
  const columns = await statesOf(
    client,
    name,
    families.flatMap((family) => table.families[family] ?? []),
  );
  const alter = (column: ColumnState, action: string): Promise<unknown> =>
    client.query(`ALTER TABLE ${name} ALTER COLUMN ${quoted(column.name)} ${action}`);
  const required = columns.filter((column) => column.required);
  for (const column of required) await alter(column, 'DROP NOT NULL');
  const withDefault = columns.filter(({ fallback }) => fallback !== null);
  for (const column of withDefault) await alter(column, 'DROP DEFAULT');
  const what = `${table.schema}.${table.name}`;
  const notes = [
    `${what}: left out ${families.join(', ')} (${columns.map((column) => column.name).join(', ')})`,
  ];
  if (required.length > 0)
    notes.push(`${what}: no longer NOT NULL: ${required.map((column) => column.name).join(', ')}`);
  const restore = async (): Promise<void> => {
    for (const column of withDefault) await alter(column, `SET DEFAULT ${column.fallback}`);
  };
  return { notes, restore };
}

async function statesOf(client: pg.Client, table: string, names: readonly string[]): Promise<ColumnState[]> {
  const { rows } = await client.query<ColumnState>(
    `SELECT attname AS name, attnotnull AS required, pg_get_expr(adbin, adrelid) AS fallback
     FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
     WHERE attrelid = ${literal(table)}::regclass AND attname = ANY ($1) AND attnum > 0 AND attidentity = '' AND attgenerated = ''
     ORDER BY attnum`,
    [names],
  );
  return rows;
}
