import { HoldfastError } from '@holdfast/contracts';
import { ident, qualified } from './quote.ts';
import { rowSecurityError } from './server-errors.ts';
import type { ServerFacts } from './server-facts.ts';
import { hasRows, type Table, tableName } from './table-facts.ts';

/** Messages list no more names than this. */
const NAMED = 20;

/** The statements that would let `user` read all of the tables; empty when it may already. */
export function missingGrants(tables: readonly Table[], user: string, version: number): string[] {
  const unreadable = tables.filter((table) => hasRows(table) && !(table.mayRead && table.schemaUsable));
  if (unreadable.length === 0) return [];
  const role = ident(user);
  const schemas = new Set(unreadable.filter((table) => !table.schemaUsable).map((table) => table.schema));
  const names = unreadable
    .filter((table) => !table.mayRead)
    .map((table) => qualified(table.schema, table.name));
  const grants = Array.from(schemas, (schema) => `GRANT USAGE ON SCHEMA ${ident(schema)} TO ${role};`);
  if (names.length > 0) grants.push(`GRANT SELECT ON TABLE ${shortened(names)} TO ${role};`);
  if (version >= 140_000) grants.push(`or all at once: GRANT pg_read_all_data TO ${role};`);
  return grants;
}

const shortened = (names: readonly string[]): string =>
  names.length <= NAMED
    ? names.join(', ')
    : `${names.slice(0, NAMED).join(', ')}, … (${names.length} in all)`;

/** SOURCE_UNREADABLE unless every row of the tables can be read. */
export function refuseUnreadable(tables: readonly Table[], user: string, server: ServerFacts): void {
  const grants = missingGrants(tables, user, server.version);
  if (grants.length > 0) {
    const names = tables
      .filter((table) => hasRows(table) && !(table.mayRead && table.schemaUsable))
      .map(tableName);
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
