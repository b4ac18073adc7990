import { HoldfastError, type SourceReport, throwIfAborted } from '@holdfast/contracts';
import { chooseTables } from './choose-tables.ts';
import { findPgDump } from './find-pg-dump.ts';
import type { PostgresSourceOptions } from './options.ts';
import { readSequenceNames } from './read-facts.ts';
import { missingGrants } from './rights.ts';
import { readServerFacts } from './server-facts.ts';
import { Session } from './session.ts';
import { hasRows, readTables, tableName } from './table-facts.ts';
import { layOut } from './table-layout.ts';

/** What is there and whether it could be backed up. SOURCE_UNREADABLE, CONFIG_INVALID. */
export async function reportDatabase(
  options: PostgresSourceOptions,
  signal?: AbortSignal,
): Promise<SourceReport> {
  throwIfAborted(signal);
  const session = await Session.connect(options);
  const stop = (): void => session.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    await session.query('begin isolation level repeatable read read only', 'the database');
    const report = await describe(session, options);
    await session.query('rollback', 'the database');
    return report;
  } finally {
    signal?.removeEventListener('abort', stop);
    await session.end();
  }
}

async function describe(session: Session, options: PostgresSourceOptions): Promise<SourceReport> {
  const server = await readServerFacts(session);
  const tables = await readTables(session);
  const chosen = chooseTables(tables, options.include, options.exclude);
  const sequences = await readSequenceNames(session);
  const layouts = layOut(tables, chosen, options);
  const keyless = layouts
    .filter((layout) => layout.key.length === 0)
    .map((layout) => tableName(layout.table));
  const secured = chosen.filter((table) => hasRows(table) && table.rowSecurity).map(tableName);
  return {
    kind: 'postgres',
    bytes: server.bytes,
    objects: null,
    facts: {
      server: server.versionText,
      database: session.address.database,
      encoding: server.encoding,
      standby: server.inRecovery,
      tables: layouts.length,
      'tables without key': keyless.length === 0 ? 'none' : keyless.join(', '),
      'missing rights':
        missingGrants(chosen, sequences, session.address.user, server.version).join(' ') || 'none',
      'hidden by row security': secured.join(', ') || 'none',
      pg_dump: await pgDumpFact(server.version, options.pgDump),
    },
  };
}

async function pgDumpFact(version: number, given: string | undefined): Promise<string> {
  try {
    const { path, version: text } = await findPgDump(version, given);
    return `${text}, ${path}`;
  } catch (error) {
    if (HoldfastError.is(error)) return `${error.message}. ${error.hint}`;
    throw error;
  }
}
