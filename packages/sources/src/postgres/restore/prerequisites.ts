import { HoldfastError } from '@holdfast/contracts';
import type pg from 'pg';
import type { SchemaFacts } from '../schema-facts.ts';
import { quoted } from './sql-names.ts';

export interface PrerequisiteOptions {
  readonly owner: 'keep' | 'none';
  readonly createRoles: boolean;
}

/**
 * What the schema needs of the server, found before anything is done. Gives the roles that are missing and may be made.
 * TARGET_UNWRITABLE, naming all that is missing.
 */
export async function checkPrerequisites(
  client: pg.Client,
  facts: SchemaFacts,
  { owner, createRoles }: PrerequisiteOptions,
): Promise<string[]> {
  const [missing, extensions] = await Promise.all([
    owner === 'none' ? [] : missingRoles(client, facts.roles),
    missingExtensions(
      client,
      facts.extensions.map(({ name }) => name),
    ),
  ]);
  const problems: string[] = [];
  const hints: string[] = [];
  if (extensions.length > 0) {
    problems.push(`the server does not have the ${plural('extension', extensions)}`);
    hints.push('Install the extensions’ packages on the database server.');
  }
  if (missing.length > 0 && !createRoles) {
    problems.push(`it has no ${plural('role', missing)}`);
    hints.push(
      'Create the roles (or let the restore do it, without login: createRoles), or leave owners and grants out (owner: none).',
    );
  }
  if (problems.length > 0)
    throw new HoldfastError('TARGET_UNWRITABLE', `Cannot restore: ${problems.join(', and ')}`, {
      hint: hints.join(' '),
      details: { missingRoles: missing, missingExtensions: extensions },
    });
  if (owner === 'keep') await checkMembership(client, facts.roles, missing);
  return missing;
}

/** Roles without login and rights: their passwords and memberships are the cluster's, not a database's. */
export async function createMissingRoles(client: pg.Client, names: readonly string[]): Promise<void> {
  for (const name of names) await client.query(`CREATE ROLE ${quoted(name)} NOLOGIN`);
}

export async function availableExtensions(client: pg.Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>('SELECT name FROM pg_available_extensions');
  return new Set(rows.map(({ name }) => name));
}

async function missingRoles(client: pg.Client, names: readonly string[]): Promise<string[]> {
  return listed(
    client,
    `SELECT name FROM unnest($1::text[]) AS wanted(name)
     WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) AND name <> 'public' ORDER BY name`,
    names,
  );
}

async function missingExtensions(client: pg.Client, names: readonly string[]): Promise<string[]> {
  const available = await availableExtensions(client);
  return names.filter((name) => !available.has(name)).sort();
}

/** Only a member may give objects to a role. */
async function checkMembership(
  client: pg.Client,
  names: readonly string[],
  missing: readonly string[],
): Promise<void> {
  const others = await listed(
    client,
    `SELECT rolname AS name FROM pg_roles WHERE rolname = ANY ($1) AND NOT pg_has_role(oid, 'MEMBER') ORDER BY 1`,
    names,
  );
  const { rows } = await client.query('SELECT rolsuper FROM pg_roles WHERE rolname = current_user');
  const { rolsuper } = rows[0] as { rolsuper: boolean };
  if (rolsuper || (others.length === 0 && missing.length === 0)) return;
  const all = [...others, ...missing];
  throw new HoldfastError(
    'TARGET_UNWRITABLE',
    `Cannot restore owners: you are not a member of the ${plural('role', all)}`,
    {
      hint: 'Connect as a superuser, be granted those roles, or leave owners and grants out (owner: none).',
      details: { roles: all },
    },
  );
}

async function listed(client: pg.Client, sql: string, names: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(sql, [names]);
  return rows.map(({ name }) => name);
}

const plural = (what: string, names: readonly string[]): string =>
  `${what}${names.length === 1 ? '' : 's'} ${names.join(', ')}`;
