import { HoldfastError } from '@holdfast/contracts';
import { ident, qualified } from './quote.ts';
import type { SequenceName } from './read-facts.ts';
import type { NamedObject } from './schema-facts.ts';
import { rowSecurityError } from './server-errors.ts';
import type { ServerFacts } from './server-facts.ts';
import { hasRows, type Table, tableName } from './table-facts.ts';

/** Messages list no more names than this. */
const NAMED = 20;

/** The statements that would let `user` read all of the tables and sequences; empty when it may already. */
export function missingGrants(
  tables: readonly Table[],
  sequences: readonly SequenceName[],
  user: string,
  version: number,
): string[] {
  const unreadable = tables.filter(isUnreadable);
  const hidden = sequences.filter((sequence) => !sequence.mayRead);
  if (unreadable.length === 0 && hidden.length === 0) return [];
  const role = ident(user);
  const schemas = new Set(unreadable.filter((table) => !table.schemaUsable).map((table) => table.schema));
  const grants = Array.from(schemas, (schema) => `GRANT USAGE ON SCHEMA ${ident(schema)} TO ${role};`);
  const names = unreadable.filter((table) => !table.mayRead).map(quoted);
  if (names.length > 0) grants.push(`GRANT SELECT ON TABLE ${shortened(names)} TO ${role};`);
  if (hidden.length > 0) grants.push(`GRANT SELECT ON SEQUENCE ${shortened(hidden.map(quoted))} TO ${role};`);
  if (version >= 140_000) grants.push(`or all at once: GRANT pg_read_all_data TO ${role};`);
  return grants;
}

const isUnreadable = (table: Table): boolean => hasRows(table) && !(table.mayRead && table.schemaUsable);

const quoted = ({ schema, name }: NamedObject): string => qualified(schema, name);

const shortened = (names: readonly string[]): string =>
  names.length <= NAMED
    ? names.join(', ')
    : `${names.slice(0, NAMED).join(', ')}, … (${names.length} in all)`;

/** SOURCE_UNREADABLE unless every row of the tables, and every sequence, can be read. */
export function refuseUnreadable(
  tables: readonly Table[],
  sequences: readonly SequenceName[],
  user: string,
  server: ServerFacts,
): void {
  const grants = missingGrants(tables, sequences, user, server.version);
  if (grants.length > 0) {
    const names = [...tables.filter(isUnreadable), ...sequences.filter((each) => !each.mayRead)].map(
      tableName,
    );
    throw new HoldfastError('SOURCE_UNREADABLE', `${user} may not read ${shortened(names)}`, {
      hint: grants.join(' '),
      details: { tables: names },
    });
  }
  const secured = tables.find((table) => hasRows(table) && table.rowSecurity);
  const unlogged = server.inRecovery ? tables.filter((table) => hasRows(table) && table.isUnlogged) : [];
  if (unlogged.length > 0)
    throw new HoldfastError(
      'SOURCE_UNREADABLE',
      `A standby has no rows of unlogged tables: ${shortened(unlogged.map(tableName))}`,
      { hint: 'Put them under `exclude`, or back up the primary.' },
    );
  if (secured) throw rowSecurityError(`table ${tableName(secured)}`, user);
}
