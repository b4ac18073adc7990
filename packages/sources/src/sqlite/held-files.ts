import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { readError } from '../file/system-errors.ts';

interface Group {
  users: number;
  readonly descriptors: number[];
}

/**
 * TRAP: POSIX drops all of a process's fcntl locks on a file as soon as the process closes ANY descriptor of it,
 * SQLite's locks included. So descriptors of a database and its -wal and -shm stay open until the last user in this
 * thread has let go of that database, and each user lets go only after it has closed its SQLite connection.
 * (Another thread, or other code in this process, that opens and closes the same files still has the hazard.)
 */
const groups = new Map<string, Group>();

export class HeldFiles {
  readonly path: string;
  readonly database: number;
  readonly #key: string;
  readonly #group: Group;
  #released = false;

  /** Opens the database file itself. SOURCE_UNREADABLE. */
  constructor(path: string) {
    this.path = path;
    this.database = open(path);
    const { dev, ino } = fstatSync(this.database, { bigint: true });
    this.#key = `${dev}:${ino}`;
    this.#group = groups.get(this.#key) ?? { users: 0, descriptors: [] };
    groups.set(this.#key, this.#group);
    this.#group.users += 1;
    this.#group.descriptors.push(this.database);
  }

  /** Opens a file that belongs to the database, such as `-wal`. SOURCE_UNREADABLE. */
  open(suffix: '-wal' | '-shm'): number {
    const descriptor = open(this.path + suffix);
    this.#group.descriptors.push(descriptor);
    return descriptor;
  }

  /** Whether the path still leads to the file that is held, and not to one that took its place. */
  isCurrent(): boolean {
    const stats = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    return stats !== undefined && `${stats.dev}:${stats.ino}` === this.#key;
  }

  /** Only after the SQLite connection is closed. Idempotent. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#group.users -= 1;
    if (this.#group.users > 0) return;
    groups.delete(this.#key);
    for (const descriptor of this.#group.descriptors) closeSync(descriptor);
  }
}

function open(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw readError(error, path);
  }
}

/** Up to `length` bytes from `position`; fewer at the end of the file. For small pieces. */
export function readPiece(descriptor: number, position: number, length: number): Buffer {
  const piece = Buffer.alloc(length);
  return piece.subarray(0, readSync(descriptor, piece, 0, length, position));
}
