import { HoldfastError } from '@holdfast/contracts';

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html). */
const SQLITE = {
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  NOTADB: 26,
} as const;

/** The low byte of an error that SQLite reported; null for all other errors. */
function primaryCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode & 0xff;
}

export const isLocked = (error: unknown): boolean => {
  const code = primaryCode(error);
  return code === SQLITE.BUSY || code === SQLITE.LOCKED;
};

/** Turns what SQLite threw into an error that callers know. */
export function translate(error: unknown, path: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const text = error instanceof Error ? error.message : String(error);
  switch (primaryCode(error)) {
    case SQLITE.CORRUPT:
    case SQLITE.NOTADB:
      return corrupt(path, text, error);
    case SQLITE.FULL:
      return new HoldfastError('DISK_FULL', `No space left for the catalog ${path}.`, {
        hint: 'Free some space on that disk and run the command again; what was recorded before is intact.',
        cause: error,
      });
    case SQLITE.BUSY:
    case SQLITE.LOCKED:
      return new HoldfastError('BUSY', `The catalog ${path} is locked by another process.`, {
        hint: 'Wait until the other command has finished.',
        cause: error,
      });
    case SQLITE.READONLY:
      return new HoldfastError('USAGE', `The catalog ${path} was opened for reading only.`, { cause: error });
    case SQLITE.CANTOPEN:
      return new HoldfastError('NOT_FOUND', `The catalog ${path} cannot be opened: ${text}.`, {
        cause: error,
      });
    case SQLITE.IOERR:
      return new HoldfastError('CATALOG_CORRUPT', `The catalog ${path} cannot be read or written: ${text}.`, {
        hint: 'Check the disk (kernel log, SMART); then restore the catalog from the peers.',
        cause: error,
      });
    default:
      return new HoldfastError('INTERNAL', `The catalog ${path} failed: ${text}.`, { cause: error });
  }
}

export const corrupt = (path: string, what: string, cause?: unknown): HoldfastError =>
  new HoldfastError('CATALOG_CORRUPT', `The catalog ${path} is damaged: ${what}.`, {
    hint: 'Move the file away and rebuild the catalog from the peers; the backups themselves are not affected.',
    cause,
  });
