import { HoldfastError } from '@holdfast/contracts';
import type { RowsDescription } from '@holdfast/formats/rows';
import type { MysqlConnection } from '../connection.ts';
import { mapUnquoted, quoteName, quotePath } from '../quoting.ts';
import { readTable } from '../read/definitions.ts';

/** The columns of one family of a table, or those in none, in a table of their own with the key. */
export interface StagedPart {
  readonly table: string;
  readonly family: string | null;
  /** Name of the table that holds them, in the scratch database. */
  readonly stage: string;
  readonly key: readonly string[];
  readonly columns: readonly string[];
}

export const partOf = (
  { table, family, columns, keyColumns }: RowsDescription,
  stage: string,
): StagedPart => ({
  table,
  family,
  stage,
  key: columns.slice(0, keyColumns).map(({ name }) => name),
  columns: columns.slice(keyColumns).map(({ name }) => name),
});

/** With types and charsets of the table that it is a part of. */
export async function createStage(
  connection: MysqlConnection,
  scratch: string,
  from: string,
  part: StagedPart,
): Promise<void> {
  const names = [...part.key, ...part.columns].map(quoteName).join(', ');
  const stage = quotePath(scratch, part.stage);
  await connection.run(
    `CREATE TABLE ${stage} ENGINE=InnoDB SELECT ${names} FROM ${quotePath(from, part.table)} LIMIT 0`,
    `table ${part.table}`,
  );
  await connection.run(`ALTER TABLE ${stage} ADD PRIMARY KEY (${part.key.map(quoteName).join(', ')})`);
}

/**
 * Puts the parts of a table together. Columns of a family that was left out are null: where the table does not allow
 * that, it does from now on, as any other value would be an invention.
 */
export async function joinParts(
  connection: MysqlConnection,
  scratch: string,
  parts: readonly StagedPart[],
  leftOut: readonly string[],
): Promise<void> {
  const main = parts.find(({ family }) => family === null);
  const { table, key } = parts[0]!;
  if (!main)
    throw new HoldfastError(
      'FORMAT_INVALID',
      `Table ${table} comes without the columns that are in no family`,
    );
  if (leftOut.length > 0) await setNullable(connection, scratch, table, leftOut, true);
  const families = parts.filter((part) => part !== main);
  const from = `${quotePath(scratch, main.stage)} AS m`;
  const joins = families.map(
    (part, i) =>
      `LEFT JOIN ${quotePath(scratch, part.stage)} AS f${i} USING (${key.map(quoteName).join(', ')})`,
  );
  const names = [...main.key, ...main.columns, ...families.flatMap(({ columns }) => columns)];
  const values = [
    ...[...main.key, ...main.columns].map((name) => `m.${quoteName(name)}`),
    ...families.flatMap(({ columns }, i) => columns.map((name) => `f${i}.${quoteName(name)}`)),
  ];
  const absent = leftOut.map((name) => quoteName(name));
  await connection.run(
    `INSERT INTO ${quotePath(scratch, table)} (${[...names.map(quoteName), ...absent].join(', ')})
     SELECT ${[...values, ...absent.map(() => 'NULL')].join(', ')} FROM ${[from, ...joins].join(' ')}`,
    `table ${table}`,
  );
  for (const { stage } of parts) await connection.run(`DROP TABLE ${quotePath(scratch, stage)}`);
}

/** Allows nulls in these columns, or no longer. Their definitions are the server's own, but for that word. */
export async function setNullable(
  connection: MysqlConnection,
  database: string,
  table: string,
  columns: readonly string[],
  nullable: boolean,
): Promise<void> {
  await connection.run(`USE ${quoteName(database)}`);
  const { create } = await readTable(connection, table);
  const changes = columns.flatMap((name) => {
    const line = create.split('\n').find((each) => each.startsWith(`  ${quoteName(name)} `));
    if (!line) return [];
    const definition = line.trim().replace(/,$/, '');
    const changed = nullable ? withoutNotNull(definition) : definition;
    return changed === definition ? [] : [`MODIFY COLUMN ${changed}`];
  });
  if (changes.length > 0)
    await connection.run(`ALTER TABLE ${quotePath(database, table)} ${changes.join(', ')}`, `table ${table}`);
}

const withoutNotNull = (definition: string): string =>
  mapUnquoted(definition, (text) => text.replace(' NOT NULL', ' NULL'));
