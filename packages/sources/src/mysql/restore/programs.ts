import { HoldfastError } from '@holdfast/contracts';
import type { MysqlConnection } from '../connection.ts';
import { quoteName, quotePlain, requalify } from '../quoting.ts';
import type { ProgramDefinition } from '../schema-facts.ts';
import { serverErrno } from '../server-errors.ts';

/** What a view may still be waiting for: a table or view, a column of it, a function. */
const MISSING = new Set([1146, 1054, 1305, 1356, 1049]);
/** Under these our statements, which are in UTF-8, mean what they say. */
const UTF8 = new Set(['utf8mb4', 'utf8mb3', 'utf8']);
/** For everything else that a restore does: an engine that is missing is an error, and not another engine. */
export const OWN_MODE = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION';
const OWN_SESSION = [
  `SET SESSION sql_mode = '${OWN_MODE}', SESSION time_zone = '+00:00'`,
  'SET NAMES utf8mb4',
];

export interface ProgramScene {
  /** Its database is the one that they are made in. */
  readonly connection: MysqlConnection;
  /** The same, by name. */
  readonly database: string;
  /** The one they come from. */
  readonly from: string;
  /** Of the database. */
  readonly collation: string;
}

const ORDER: readonly ProgramDefinition['kind'][][] = [
  ['package', 'function', 'procedure'],
  ['package body'],
  ['view'],
  ['trigger'],
  ['event'],
];

/** Routines, then views in an order in which they can be made, then triggers and events. */
export async function createPrograms(
  scene: ProgramScene,
  programs: readonly ProgramDefinition[],
): Promise<void> {
  try {
    for (const kinds of ORDER) {
      const group = programs.filter(({ kind }) => kinds.includes(kind));
      if (kinds.includes('view')) await createViews(scene, group);
      else for (const each of group) await createProgram(scene, each);
    }
  } finally {
    for (const statement of OWN_SESSION) await scene.connection.attempt(statement).catch(() => undefined);
  }
}

/** Views may stand on each other: whatever can be made is, until all are or nothing can. */
async function createViews(scene: ProgramScene, views: readonly ProgramDefinition[]): Promise<void> {
  let waiting = views;
  while (waiting.length > 0) {
    const failed: { view: ProgramDefinition; error: unknown }[] = [];
    for (const view of waiting) {
      try {
        await attemptProgram(scene, view);
      } catch (error) {
        if (!MISSING.has(serverErrno(error))) throw scene.connection.error(error, `view ${view.name}`);
        failed.push({ view, error });
      }
    }
    if (failed.length === waiting.length)
      throw new HoldfastError(
        'TARGET_UNWRITABLE',
        `These views refer to what is not there: ${failed.map(({ view }) => view.name).join(', ')}`,
        {
          hint: 'They use other databases, or tables that were not restored: make these first.',
          cause: failed[0]!.error,
        },
      );
    waiting = failed.map(({ view }) => view);
  }
}

async function createProgram(scene: ProgramScene, program: ProgramDefinition): Promise<void> {
  try {
    await attemptProgram(scene, program);
  } catch (error) {
    throw scene.connection.error(error, `${program.kind} ${program.name}`);
  }
}

async function attemptProgram(scene: ProgramScene, program: ProgramDefinition): Promise<void> {
  const { connection, database, from, collation } = scene;
  const { databaseCollation, create, kind } = program;
  const other = databaseCollation !== null && databaseCollation !== collation ? databaseCollation : null;
  const setCollation = (to: string): Promise<unknown> =>
    connection.attempt(`ALTER DATABASE ${quoteName(database)} COLLATE ${quotePlain(to)}`);
  // Parameters and variables of routines without a charset of their own have the database's.
  if (other) await setCollation(other);
  try {
    await connection.attempt(`SET ${sessionOf(program).join(', ')}`);
    await connection.attempt(kind === 'view' ? requalify(create, from, database) : create);
  } finally {
    if (other) await setCollation(collation);
  }
}

function sessionOf(program: ProgramDefinition): string[] {
  const { sqlMode, characterSetClient, collationConnection, timeZone, create } = program;
  // Of a client with another charset the text has the same meaning in UTF-8; if it is ASCII, it even has the same bytes.
  const same = UTF8.has(characterSetClient) || isAscii(create);
  return [
    `SESSION sql_mode = ${quotePlain(sqlMode ?? '')}`,
    `SESSION character_set_client = ${same ? quotePlain(characterSetClient) : 'utf8mb4'}`,
    `SESSION collation_connection = ${quotePlain(collationConnection)}`,
    `SESSION time_zone = ${quotePlain(timeZone ?? '+00:00')}`,
  ];
}

const isAscii = (text: string): boolean => /^[\t\n\r -~]*$/.test(text);
