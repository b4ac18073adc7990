import { HoldfastError } from '@holdfast/contracts';
import type { MysqlConnection } from '../connection.ts';
import { quoteText } from '../quoting.ts';

/** Without these the server shows less than there is, and says nothing about it. */
const NEEDED = ['SELECT', 'SHOW VIEW', 'TRIGGER', 'EVENT'];
const ANY_ROUTINE = ['EXECUTE', 'ALTER ROUTINE', 'CREATE ROUTINE', 'SHOW CREATE ROUTINE'];

/**
 * That the user sees all there is. A server hides tables, triggers, events and routines from those without rights: a
 * backup that leaves them out would look whole. SOURCE_UNREADABLE names the GRANT that is lacking.
 */
export async function checkRights(connection: MysqlConnection, database: string): Promise<void> {
  const rights = await rightsOn(connection, database);
  const lacking = NEEDED.filter((right) => !rights.has(right));
  if (lacking.length > 0) throw lacks(connection, database, lacking.join(', '), database);
  if (ANY_ROUTINE.some((right) => rights.has(right)) || (await mayReadRoutines(connection))) return;
  throw lacks(connection, database, 'EXECUTE', database);
}

async function rightsOn(connection: MysqlConnection, database: string): Promise<Set<string>> {
  const here = quoteText(database);
  const rows = await connection.rows(`
    SELECT PRIVILEGE_TYPE AS name FROM information_schema.USER_PRIVILEGES
    UNION SELECT PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES
      WHERE ${here} = TABLE_SCHEMA OR ${here} LIKE TABLE_SCHEMA`);
  return new Set(rows.map((row) => row.name!));
}

async function mayReadRoutines(connection: MysqlConnection): Promise<boolean> {
  try {
    await connection.attempt('SELECT 1 FROM mysql.proc LIMIT 0');
    return true;
  } catch {
    return false;
  }
}

/** For a routine whose text the server keeps to itself. */
export const hiddenRoutine = (connection: MysqlConnection, what: string): HoldfastError =>
  new HoldfastError(
    'SOURCE_UNREADABLE',
    `Cannot read the text of ${what}: server ${connection.scene.server} hides it`,
    {
      hint: `Its text is shown to its definer and to who may read it: GRANT SELECT ON \`mysql\`.\`proc\` TO '${connection.scene.user}'@'…' (MariaDB 11.3 and later: GRANT SHOW CREATE ROUTINE; MySQL: GRANT SHOW_ROUTINE).`,
    },
  );

const lacks = ({ scene }: MysqlConnection, database: string, rights: string, on: string): HoldfastError =>
  new HoldfastError(
    'SOURCE_UNREADABLE',
    `User ${scene.user} of server ${scene.server} lacks rights on database ${database}: ${rights}`,
    {
      hint: `GRANT ${rights} ON \`${on}\`.* TO '${scene.user}'@'…'. Without them the server hides what the user may not see, and the backup would lack it.`,
      details: { lacking: rights },
    },
  );
