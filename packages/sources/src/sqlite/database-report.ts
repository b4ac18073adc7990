import type { SourceReport } from '@holdfast/contracts';
import { ReadConnection, sqliteError } from './connection.ts';
import type { HeldFiles } from './held-files.ts';

/** What people want to see of a database. SOURCE_UNREADABLE, SOURCE_CORRUPT, CANCELLED. */
export async function reportDatabase(files: HeldFiles, signal?: AbortSignal): Promise<SourceReport> {
  const connection = new ReadConnection(files.path);
  try {
    await connection.begin(signal);
    const pages = connection.pageCount();
    const pageSize = Number(connection.value('PRAGMA page_size'));
    return {
      kind: 'sqlite',
      bytes: pages * pageSize,
      objects: 1,
      facts: {
        journalMode: connection.value('PRAGMA journal_mode'),
        pageSize,
        pages,
        tables: connection.value("SELECT count(*) FROM sqlite_schema WHERE type = 'table'"),
        userVersion: connection.value('PRAGMA user_version'),
        encoding: connection.value('PRAGMA encoding'),
        sqlite: connection.value('SELECT sqlite_version()'),
      },
    };
  } catch (error) {
    throw sqliteError(error, files.path);
  } finally {
    connection.close();
  }
}
