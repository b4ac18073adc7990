import { existsSync } from 'node:fs';
import { HoldfastError, type ObjectHeader, type Sink } from '@holdfast/contracts';
import { invalid } from '../file/attributes.ts';
import type { PartialFile } from '../file/partial-file.ts';
import { alreadyExists, type FileTarget, singleFileSink } from '../file/single-file-sink.ts';
import { openImmutable } from './connection.ts';
import { HEADER_BYTES, parseDatabaseHeader } from './database-header.ts';
import { retireDatabase, SIDE_FILES } from './retire-database.ts';

/**
 * Restores a database file, byte for byte as SQLite saw it. Cheap checks only, since every byte was checked against the
 * snapshot on its way: header, length, and that SQLite reads the schema. Not `quick_check`, which reads all pages.
 */
export function sqliteSink(options: FileTarget): Sink {
  return singleFileSink(options, {
    accepts: ['database'],
    checkTarget,
    checkContent,
    clearTarget: retireDatabase,
  });
}

/** A log or journal left over from another database would be played back into the restored one. */
function checkTarget(target: string, overwrite: boolean): void {
  if (overwrite) return;
  for (const suffix of SIDE_FILES) if (existsSync(target + suffix)) throw alreadyExists(target + suffix);
}

async function checkContent(file: PartialFile, size: number, object: ObjectHeader): Promise<void> {
  // A database that nothing was ever written to has no header either.
  if (size === 0) return;
  const bytes = Buffer.alloc(HEADER_BYTES);
  const length = await file.read(0, bytes);
  try {
    const header = parseDatabaseHeader(bytes.subarray(0, length), file.path);
    if (size % header.pageSize !== 0)
      throw invalid(object, `${size} bytes are not whole pages of ${header.pageSize}`);
    const database = openImmutable(file.path);
    try {
      database.prepare('SELECT count(*) FROM sqlite_schema').get();
    } finally {
      database.close();
    }
  } catch (error) {
    if (HoldfastError.is(error, 'FORMAT_INVALID')) throw error;
    throw new HoldfastError('FORMAT_INVALID', 'What was restored is not a database that SQLite can open', {
      hint: 'Its source may have been damaged already: try an earlier snapshot.',
      cause: error,
    });
  }
}
