import type pg from 'pg';
import { literal, quoted } from './sql-names.ts';

interface AccessItem {
  readonly grantor: string;
  /** Null is PUBLIC. */
  readonly grantee: string | null;
  readonly privilege: string;
  readonly grantable: boolean;
}

/**
 * Gives an object the rights that an `aclitem[]` lists, by statements. `object` is as GRANT names it (`LARGE OBJECT 7`,
 * `DATABASE "a"`), `owner` its owner's name, who is the one to begin with.
 */
export async function applyAccess(
  client: pg.Client,
  object: string,
  owner: string,
  acl: string,
): Promise<void> {
  const items = await itemsOf(client, acl);
  await client.query(`REVOKE ALL ON ${object} FROM PUBLIC, ${quoted(owner)}`);
  // Whoever passes on a right has to have it first.
  const first = items.filter(({ grantor }) => grantor === owner);
  for (const item of [...first, ...items.filter((other) => !first.includes(other))])
    await grant(client, object, owner, item);
}

async function itemsOf(client: pg.Client, acl: string): Promise<AccessItem[]> {
  const { rows } = await client.query<AccessItem>(
    `SELECT pg_get_userbyid(a.grantor) AS grantor, CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END AS grantee,
       a.privilege_type AS privilege, a.is_grantable AS grantable
     FROM aclexplode(${literal(acl)}::aclitem[]) WITH ORDINALITY AS a ORDER BY ordinality`,
  );
  return rows;
}

async function grant(client: pg.Client, object: string, owner: string, item: AccessItem): Promise<void> {
  const grantee = item.grantee === null ? 'PUBLIC' : quoted(item.grantee);
  const option = item.grantable ? ' WITH GRANT OPTION' : '';
  const statement = `GRANT ${item.privilege} ON ${object} TO ${grantee}${option}`;
  if (item.grantor === owner) {
    await client.query(statement);
    return;
  }
  await client.query(`SET SESSION AUTHORIZATION ${quoted(item.grantor)}`);
  try {
    await client.query(statement);
  } finally {
    await client.query('RESET SESSION AUTHORIZATION');
  }
}
