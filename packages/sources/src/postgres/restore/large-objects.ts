import { HoldfastError } from '@holdfast/contracts';
import type pg from 'pg';
import { LARGE_OBJECT_PAGE } from '../large-objects.ts';
import type { LargeObjectFact } from '../schema-facts.ts';
import { applyAccess } from './access-rights.ts';
import { literal, quoted } from './sql-names.ts';

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

/** From a table of pages (loid, pageno, data) into the objects; each client takes its share of them. FORMAT_INVALID. */
export async function fillLargeObjects(clients: readonly pg.Client[], table: string): Promise<void> {
  await checkPages(clients[0]!, table);
  await Promise.all(
    clients.map((client, share) =>
      client.query(
        `SELECT count(lo_put(loid, pageno * ${LARGE_OBJECT_PAGE}, data)) FROM
           (SELECT * FROM ${table} WHERE loid::bigint % ${clients.length} = ${share} ORDER BY loid, pageno) AS pages`,
      ),
    ),
  );
}

/** Pages of another size would end up in other places, and nothing else would tell. */
async function checkPages(client: pg.Client, table: string): Promise<void> {
  const { rows } = await client.query<{ loid: string }>(
    `SELECT loid::text FROM (
       SELECT loid, length(data) AS bytes, lead(pageno) OVER (PARTITION BY loid ORDER BY pageno) AS next FROM ${table}
     ) AS pages WHERE bytes > ${LARGE_OBJECT_PAGE} OR next IS NOT NULL AND bytes <> ${LARGE_OBJECT_PAGE} LIMIT 1`,
  );
  if (rows.length > 0)
    throw new HoldfastError('FORMAT_INVALID', `Large object ${rows[0]!.loid} has pages of a wrong size`);
}
