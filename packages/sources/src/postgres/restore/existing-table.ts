import { HoldfastError } from '@holdfast/contracts';
import type { RowsDescription } from '@holdfast/formats/rows';
import type pg from 'pg';
import { literal, qualified, quoted } from './sql-names.ts';

/** TARGET_UNWRITABLE unless the table has the family's columns, of the same types, and the same primary key. */
export async function checkFamilyTable(client: pg.Client, rows: RowsDescription): Promise<void> {
  const table = `${rows.schema}.${rows.table}`;
  const found = await columnsOf(client, rows);
  if (found === null) throw differs(table, 'is not there');
  for (const { name, type } of rows.columns) {
    const column = found.find((each) => each.name === name);
    if (column === undefined) throw differs(table, `has no column ${name}`);
    if (column.type !== type) throw differs(table, `has column ${name} of type ${column.type}, not ${type}`);
  }
  const key = rows.columns.slice(0, rows.keyColumns).map(({ name }) => name);
  const primary = found.filter(({ key }) => key > 0).sort((a, b) => a.key - b.key);
  if (key.length === 0 || primary.map(({ name }) => name).join('\0') !== key.join('\0'))
    throw differs(table, `has another primary key than (${key.join(', ')})`);
}

const differs = (table: string, how: string): HoldfastError =>
  new HoldfastError('TARGET_UNWRITABLE', `Table ${table} ${how}, unlike the snapshot’s`, {
    hint: 'A family goes back only into a table of the same key and columns: restore the whole table beside it, and copy by hand.',
  });

interface ExistingColumn {
  readonly name: string;
  readonly type: string;
  /** Place in the primary key, from 1; 0 outside. */
  readonly key: number;
}

async function columnsOf(
  client: pg.Client,
  { schema, table }: RowsDescription,
): Promise<ExistingColumn[] | null> {
  const name = literal(qualified(schema, table));
  const { rows } = await client.query<ExistingColumn>(
    `SELECT attname AS name, format_type(atttypid, atttypmod) AS type,
       coalesce((SELECT array_position(indkey::int2[], attnum) + 1 - array_lower(indkey::int2[], 1)
         FROM pg_index WHERE indrelid = attrelid AND indisprimary), 0) AS key
     FROM pg_attribute WHERE attrelid = to_regclass(${name}) AND attnum > 0 AND NOT attisdropped`,
  );
  return rows.length === 0 ? null : rows;
}

const ENABLE: Readonly<Record<string, string>> = { O: 'ENABLE', R: 'ENABLE REPLICA', A: 'ENABLE ALWAYS' };

/** The table's own triggers, to be silenced and put back as they were. */
export async function existingTriggers(
  client: pg.Client,
  table: string,
): Promise<{ disable(): Promise<void>; restore(): Promise<void> }> {
  const { rows } = await client.query<{ name: string; state: string }>(
    `SELECT tgname AS name, tgenabled AS state FROM pg_trigger
     WHERE tgrelid = ${literal(table)}::regclass AND NOT tgisinternal AND tgenabled <> 'D'`,
  );
  const each = async (action: (state: string) => string): Promise<void> => {
    for (const { name, state } of rows)
      await client.query(`ALTER TABLE ${table} ${action(state)} TRIGGER ${quoted(name)}`);
  };
  return { disable: () => each(() => 'DISABLE'), restore: () => each((state) => ENABLE[state]!) };
}
