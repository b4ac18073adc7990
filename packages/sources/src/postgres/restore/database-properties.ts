import type pg from 'pg';
import { applyAccess } from './access-rights.ts';
import { quoted } from './sql-names.ts';

/**
 * What belongs to a database but to nothing in it, from the one that is replaced to its successor: owner, rights, limit of
 * connections, settings. Gives notes on what could not be carried over.
 */
export async function copyDatabaseProperties(
  client: pg.Client,
  oldOid: string,
  name: string,
): Promise<string[]> {
  const { rows } = await client.query(
    `SELECT pg_get_userbyid(datdba) AS owner, datacl::text AS acl, datconnlimit AS limit FROM pg_database WHERE oid = $1`,
    [oldOid],
  );
  const [{ owner, acl, limit }] = rows as [{ owner: string; acl: string | null; limit: number }];
  const database = quoted(name);
  const notes: string[] = [];
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      notes.push(`The replaced database’s ${what} could not be carried over: ${(error as Error).message}`);
    }
  };
  if (acl !== null) await attempt('rights', () => carryAccess(client, database, owner, acl));
  await attempt('owner', () => client.query(`ALTER DATABASE ${database} OWNER TO ${quoted(owner)}`));
  if (limit !== -1)
    await attempt('limit of connections', () =>
      client.query(`ALTER DATABASE ${database} CONNECTION LIMIT ${limit}`),
    );
  for (const setting of await settingsOf(client, oldOid))
    await attempt(`setting ${setting.name}`, () => carrySetting(client, database, setting));
  return notes;
}

async function carryAccess(client: pg.Client, database: string, owner: string, acl: string): Promise<void> {
  await client.query(`ALTER DATABASE ${database} OWNER TO ${quoted(owner)}`);
  await applyAccess(client, `DATABASE ${database}`, owner, acl);
}

interface Setting {
  readonly role: string | null;
  readonly name: string;
  readonly value: string;
}

async function settingsOf(client: pg.Client, oid: string): Promise<Setting[]> {
  const { rows } = await client.query<Setting>(
    `SELECT CASE WHEN setrole <> 0 THEN pg_get_userbyid(setrole) END AS role,
       split_part(item, '=', 1) AS name, substr(item, strpos(item, '=') + 1) AS value
     FROM pg_db_role_setting, unnest(setconfig) AS item WHERE setdatabase = $1`,
    [oid],
  );
  return rows;
}

/** By way of this session's own setting: a list's value is quoted in a way of its own. */
async function carrySetting(
  client: pg.Client,
  database: string,
  { role, name, value }: Setting,
): Promise<void> {
  const subject = role === null ? `DATABASE ${database}` : `ROLE ${quoted(role)} IN DATABASE ${database}`;
  await client.query('BEGIN');
  try {
    await client.query('SELECT set_config($1, $2, true)', [name, value]);
    await client.query(`ALTER ${subject} SET ${name.split('.').map(quoted).join('.')} FROM CURRENT`);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}
