import { displayPath, HoldfastError, type ObjectPath } from '@holdfast/contracts';

/** The `code` of a Node system error (`ENOENT`), or `''` for anything else. */
export function systemCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

export function displayTarget(path: string | ObjectPath): string {
  return typeof path === 'string' ? path : displayPath(path);
}

/** SOURCE_UNREADABLE with the hint that fits the system's reason. */
export function readError(error: unknown, path: string | ObjectPath): HoldfastError {
  const code = systemCode(error);
  return HoldfastError.from(
    error,
    'SOURCE_UNREADABLE',
    `Cannot read ${displayTarget(path)}: ${reason(error)}`,
    {
      hint: READ_HINTS[code],
      details: { system: code },
    },
  );
}

const READ_HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'Check the path of the source.',
  EACCES: 'Run as a user who may read it, or change its permissions.',
  EPERM: 'Run as a user who may read it, or change its permissions.',
  EMFILE: 'Raise the limit of open files (ulimit -n).',
  EIO: 'The disk reports an error: look at the system log.',
};

/** DISK_FULL or TARGET_UNWRITABLE. */
export function writeError(error: unknown, path: string | ObjectPath): HoldfastError {
  const code = systemCode(error);
  const details = { system: code };
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return HoldfastError.from(error, 'DISK_FULL', `No space left for ${displayTarget(path)}`, {
      hint: 'Free space on the target file system, or restore to another one.',
      details,
    });
  }
  return HoldfastError.from(
    error,
    'TARGET_UNWRITABLE',
    `Cannot write ${displayTarget(path)}: ${reason(error)}`,
    {
      hint: WRITE_HINTS[code],
      details,
    },
  );
}

const WRITE_HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'Create the directory that the target lies in.',
  EACCES: 'Run as a user who may write there, or choose another target.',
  EPERM: 'Run as a user who may write there, or choose another target.',
  EROFS: 'The target file system is mounted read-only.',
  EBUSY: 'The target is in use, perhaps a mount point: restore beside it.',
  EFBIG: 'The target file system does not take files of this size.',
  EPIPE: 'The program that reads the output ended early.',
};

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
