import type pg from 'pg';
import type { LargeObjectFact } from '../schema-facts.ts';
import { applyAccess } from './access-rights.ts';
import { literal, quoted } from './sql-names.ts';

/** Bytes of a page; the server's own, fixed at its compilation. */
const PAGE_BYTES = 2048;
const AT_A_TIME = 1000;

/** With their oids, since rows refer to them by these. */
export async function createLargeObjects(
  client: pg.Client,
  objects: readonly LargeObjectFact[],
  owner: 'keep' | 'none',
): Promise<void> {
  for (let at = 0; at < objects.length; at += AT_A_TIME) {
    const oids = objects.slice(at, at + AT_A_TIME).map(({ oid }) => oid);
    await client.query('SELECT lo_create(oid) FROM unnest($1::oid[]) AS oid', [oids]);
  }
  for (const object of objects) await describeObject(client, object, owner);
}

async function describeObject(
  client: pg.Client,
  object: LargeObjectFact,
  owner: 'keep' | 'none',
): Promise<void> {
  const name = `LARGE OBJECT ${object.oid}`;
  if (object.comment !== null) await client.query(`COMMENT ON ${name} IS ${literal(object.comment)}`);
  if (owner === 'none') return;
  await client.query(`ALTER ${name} OWNER TO ${quoted(object.owner)}`);
  if (object.acl !== null) await applyAccess(client, name, object.owner, object.acl);
}

/** From a table of pages (loid, pageno, data) into the objects; each client takes its share of them. */
export async function fillLargeObjects(clients: readonly pg.Client[], table: string): Promise<void> {
  await Promise.all(
    clients.map((client, share) =>
      client.query(
        `SELECT count(lo_put(loid, pageno * ${PAGE_BYTES}, data)) FROM
           (SELECT * FROM ${table} WHERE loid::bigint % ${clients.length} = ${share} ORDER BY loid, pageno) AS pages`,
      ),
    ),
  );
}
