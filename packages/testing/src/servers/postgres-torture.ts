import { readFile } from 'node:fs/promises';
import type { PostgresServer } from './postgres-server.ts';

/** The cluster's, which a database's objects refer to. */
export const TORTURE_ROLES = ['torture owner', 'torture_reader'];

/** Of those that Debian's package and npm's bring; what is not there is left out. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  citext: `CREATE TABLE extended.citext (k public.citext PRIMARY KEY);
    INSERT INTO extended.citext VALUES ('Ab'), ('b'), ('A');`,
  hstore: `CREATE TABLE extended.hstore (id int PRIMARY KEY, h public.hstore);
    INSERT INTO extended.hstore VALUES (1, '"a b"=>"c\\"d", e=>NULL'), (2, ''), (3, null);
    CREATE INDEX ON extended.hstore USING gin (h);`,
  ltree: `CREATE TABLE extended.ltree (path public.ltree PRIMARY KEY); INSERT INTO extended.ltree VALUES ('a.b'), ('a');`,
  pg_trgm: `CREATE INDEX trigrams ON shapes.city USING gin (name public.gin_trgm_ops);`,
  btree_gist: `CREATE TABLE extended.booking (room int, during tsrange, EXCLUDE USING gist (room WITH =, during WITH &&));
    INSERT INTO extended.booking VALUES (1, '[2026-01-01,2026-01-02)'), (2, '[2026-01-01,2026-01-02)');`,
};

/** A collation of ICU's, by which text sorts otherwise than by its bytes. */
const ICU = `CREATE COLLATION kinds.german (provider = icu, locale = 'de-u-kn-true');
  CREATE TABLE shapes.text_key (name text COLLATE kinds.german PRIMARY KEY, n int);
  INSERT INTO shapes.text_key SELECT 'Zürich ' || i, i FROM generate_series(1, 30) i;
  INSERT INTO shapes.text_key VALUES ('ä', 1), ('a', 2), ('Z', 3), ('', 4), (E'\\t\\\\', 5);`;

/** Makes a database of every kind of type, table and object that this server's version has, with rows. */
export async function createTorture(server: PostgresServer, database: string): Promise<void> {
  const [{ version }] = (await server.query(
    "SELECT current_setting('server_version_num')::int / 10000 AS version",
  )) as [{ version: number }];
  await createTortureRoles(server);
  await server.createDatabase(database);
  const run = (sql: string): Promise<unknown> => server.query(sql, database);
  const file = async (name: string): Promise<unknown> =>
    run(await readFile(new URL(`postgres-torture/${name}.sql`, import.meta.url), 'utf8'));
  await file('types');
  if (version >= 14) await file('types-since-14');
  await file('tables');
  await run('CREATE SCHEMA extended');
  const there = await server.query('SELECT name FROM pg_available_extensions');
  for (const [name, sql] of Object.entries(EXTENSIONS)) {
    if (!there.some((extension) => extension.name === name)) continue;
    await run(`CREATE EXTENSION ${name} SCHEMA public; ${sql}`);
  }
  const [{ icu }] = (await run("SELECT count(*)::int AS icu FROM pg_collation WHERE collprovider = 'i'")) as [
    { icu: number },
  ];
  if (icu > 0) await run(ICU);
  await file('objects');
  if (version >= 15) await file('objects-since-15');
}

/** On a server to which such a database is restored, or with `IF NOT EXISTS` where it is made. */
export async function createTortureRoles(server: PostgresServer): Promise<void> {
  for (const role of TORTURE_ROLES)
    await server.query(
      `DO $$ BEGIN CREATE ROLE "${role}" NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
    );
}
