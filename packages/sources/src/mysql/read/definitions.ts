import type { MysqlConnection, TextRow } from '../connection.ts';
import { quoteName, quoteText } from '../quoting.ts';
import type { Definitions, ProgramDefinition, TableDefinition } from '../schema-facts.ts';
import { serverErrno } from '../server-errors.ts';
import { hiddenRoutine } from './rights.ts';
import type { Selection } from './selection.ts';

/** It refers to what is not there; its definer is not there. */
const BROKEN_VIEW = new Set([1356, 1449]);

/** Reads what creates everything but rows. The connection's database must be this one, or names come out qualified. */
export async function readDefinitions(
  connection: MysqlConnection,
  database: string,
  selection: Pick<Selection, 'tables' | 'views' | 'sequences'>,
): Promise<Definitions> {
  const here = quoteText(database);
  const broken = new Set<string>();
  for (const view of selection.views) if (await isBroken(connection, view)) broken.add(view);
  const names = new Set([...selection.tables.map(({ table }) => table.name), ...selection.views]);
  const views = await each(selection.views, (name) => readView(connection, name));
  return {
    tables: await each(selection.tables, ({ table }) => readTable(connection, table.name)),
    sequences: await each(selection.sequences, (name) => readSequence(connection, name)),
    programs: [
      ...(await readRoutines(connection, here)),
      ...views.filter(({ name }) => !broken.has(name)),
      ...(await readTriggers(connection, here, names)),
      ...(await readEvents(connection, here)),
    ],
    broken: views.filter(({ name }) => broken.has(name)).map(({ name, create }) => ({ name, create })),
  };
}

/** Without the counter, which changes with every row. */
export async function readTable(connection: MysqlConnection, name: string): Promise<TableDefinition> {
  const [row] = await connection.rows(`SHOW CREATE TABLE ${quoteName(name)}`, `table ${name}`);
  return { name, create: withoutCounter(row!['Create Table']!) };
}

async function readSequence(connection: MysqlConnection, name: string): Promise<TableDefinition> {
  const [row] = await connection.rows(`SHOW CREATE SEQUENCE ${quoteName(name)}`, `sequence ${name}`);
  return { name, create: row!['Create Table']! };
}

/** The options follow the last line that begins with a bracket: nothing a user has written can look like that there. */
export function withoutCounter(create: string): string {
  const options = create.lastIndexOf('\n) ');
  if (options < 0) return create;
  return (
    create.slice(0, options) + create.slice(options).replace(/^(\n\) ENGINE=\w+) AUTO_INCREMENT=\d+/, '$1')
  );
}

async function isBroken(connection: MysqlConnection, name: string): Promise<boolean> {
  try {
    await connection.attempt(`SELECT 1 FROM ${quoteName(name)} LIMIT 0`);
    return false;
  } catch (error) {
    if (BROKEN_VIEW.has(serverErrno(error))) return true;
    throw connection.error(error, `view ${name}`);
  }
}

async function readView(connection: MysqlConnection, name: string): Promise<ProgramDefinition> {
  const [row] = await connection.rows(`SHOW CREATE VIEW ${quoteName(name)}`, `view ${name}`);
  return { ...sessionOf(row!), kind: 'view', name, create: row!['Create View']! };
}

async function readRoutines(connection: MysqlConnection, here: string): Promise<ProgramDefinition[]> {
  const rows = await connection.rows(`SELECT ROUTINE_TYPE AS kind, ROUTINE_NAME AS name
    FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ${here}
    ORDER BY ROUTINE_TYPE IN ('PACKAGE BODY'), ROUTINE_TYPE, ROUTINE_NAME`);
  return each(rows, async ({ kind, name }) => {
    const what = `${kind!.toLowerCase()} ${name}`;
    const [row] = await connection.rows(`SHOW CREATE ${kind} ${quoteName(name!)}`, what);
    const create = Object.entries(row!).find(([key]) => key.startsWith('Create '))?.[1];
    if (!create) throw hiddenRoutine(connection, what);
    return {
      ...sessionOf(row!),
      kind: kind!.toLowerCase() as ProgramDefinition['kind'],
      name: name!,
      create,
    };
  });
}

async function readTriggers(
  connection: MysqlConnection,
  here: string,
  tables: ReadonlySet<string>,
): Promise<ProgramDefinition[]> {
  const rows = await connection.rows(`SELECT TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS on_table
    FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ${here}
    ORDER BY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER`);
  return each(
    rows.filter((row) => tables.has(row.on_table!)),
    async ({ name }) => {
      const [row] = await connection.rows(`SHOW CREATE TRIGGER ${quoteName(name!)}`, `trigger ${name}`);
      const create = row!['SQL Original Statement']!;
      return { ...sessionOf(row!), kind: 'trigger', name: name!, create };
    },
  );
}

async function readEvents(connection: MysqlConnection, here: string): Promise<ProgramDefinition[]> {
  const rows = await connection.rows(`SELECT EVENT_NAME AS name FROM information_schema.EVENTS
    WHERE EVENT_SCHEMA = ${here} ORDER BY EVENT_NAME`);
  return each(rows, async ({ name }) => {
    const [row] = await connection.rows(`SHOW CREATE EVENT ${quoteName(name!)}`, `event ${name}`);
    return { ...sessionOf(row!), kind: 'event', name: name!, create: row!['Create Event']! };
  });
}

const sessionOf = (row: TextRow): Omit<ProgramDefinition, 'kind' | 'name' | 'create'> => ({
  sqlMode: row.sql_mode ?? null,
  characterSetClient: row.character_set_client!,
  collationConnection: row.collation_connection!,
  databaseCollation: row['Database Collation'] ?? null,
  timeZone: row.time_zone ?? null,
});

async function each<T, R>(items: readonly T[], read: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await read(item));
  return results;
}
