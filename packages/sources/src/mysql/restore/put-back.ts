import { HoldfastError } from '@holdfast/contracts';
import type { MysqlConnection } from '../connection.ts';
import { quoteName, quotePath, quoteText } from '../quoting.ts';
import type { TableDefinition } from '../schema-facts.ts';
import type { StagedPart } from './staged-parts.ts';

/**
 * Puts families back that a restore has left out: rows that are still there get the columns' values, all in one
 * transaction; without `overwrite` only those in which all of them are null. Rows that have gone since stay away, newer ones stay as they are. Then columns are as strict as they were.
 */
export async function putBack(
  connection: MysqlConnection,
  { target, scratch }: { target: string; scratch: string },
  parts: readonly StagedPart[],
  definitions: readonly TableDefinition[],
  overwrite: boolean,
): Promise<void> {
  const updates: string[] = [];
  for (const part of parts) updates.push(await updateOf(connection, target, scratch, part, overwrite));
  await connection.run('START TRANSACTION');
  try {
    for (const [i, update] of updates.entries()) await connection.run(update, `table ${parts[i]!.table}`);
    await connection.run('COMMIT');
  } catch (error) {
    await connection.attempt('ROLLBACK').catch(() => undefined);
    throw error;
  }
  for (const part of parts) await makeStrict(connection, target, part, definitions);
}

async function updateOf(
  connection: MysqlConnection,
  target: string,
  scratch: string,
  { table, key, columns, stage }: StagedPart,
  overwrite: boolean,
): Promise<string> {
  const facts =
    await connection.rows(`SELECT COLUMN_NAME AS name, EXTRA AS extra FROM information_schema.COLUMNS
    WHERE TABLE_SCHEMA = ${quoteText(target)} AND TABLE_NAME = ${quoteText(table)}`);
  const there = new Set(facts.map(({ name }) => name));
  const lost = [...key, ...columns].filter((name) => !there.has(name));
  if (lost.length > 0)
    throw new HoldfastError(
      'TARGET_UNWRITABLE',
      `Table ${target}.${table} lacks the columns ${lost.join(', ')}`,
      {
        hint: 'Families can be put back into the database that was restored without them.',
      },
    );
  // Such a column must not take this for an edit.
  const automatic = facts.filter(({ extra }) => /on update/i.test(extra ?? '')).map(({ name }) => name!);
  const set = [
    ...columns.map((name) => `t.${quoteName(name)} = s.${quoteName(name)}`),
    ...automatic
      .filter((name) => !columns.includes(name))
      .map((name) => `t.${quoteName(name)} = t.${quoteName(name)}`),
  ];
  const empty = columns.map((name) => `t.${quoteName(name)} IS NULL`);
  return `UPDATE ${quotePath(target, table)} AS t JOIN ${quotePath(scratch, stage)} AS s
    USING (${key.map(quoteName).join(', ')}) SET ${set.join(', ')}${overwrite ? '' : ` WHERE ${empty.join(' AND ')}`}`;
}

/** Where rows without a value are left, nulls stay allowed. */
async function makeStrict(
  connection: MysqlConnection,
  target: string,
  { table, columns }: StagedPart,
  definitions: readonly TableDefinition[],
): Promise<void> {
  const lines = definitions.find(({ name }) => name === table)?.create.split('\n') ?? [];
  for (const column of columns) {
    const line = lines.find((each) => each.startsWith(`  ${quoteName(column)} `));
    const definition = line?.trim().replace(/,$/, '');
    if (!definition?.includes(' NOT NULL')) continue;
    const nulls = await connection.rows(
      `SELECT 1 AS one FROM ${quotePath(target, table)} WHERE ${quoteName(column)} IS NULL LIMIT 1`,
    );
    if (nulls.length === 0)
      await connection.run(
        `ALTER TABLE ${quotePath(target, table)} MODIFY COLUMN ${definition}`,
        `table ${table}`,
      );
  }
}
