import { HoldfastError } from '@holdfast/contracts';
import { crc32c } from '../wal/records/crc32c.ts';
import type { ConnectionPool } from './connection-pool.ts';

export interface ClusterEntry {
  readonly name: string;
  readonly isDirectory: boolean;
  readonly size: number;
}

// A file that vanishes between the two calls has no row.
const LIST = `select f, (s).isdir::text, (s).size::text
  from (select f, pg_stat_file($1 || '/' || f, true) s from pg_ls_dir($1, true, false) f) listed
  where (s).size is not null`;

const READ = 'select pg_read_binary_file($1, $2::bigint, $3::bigint, true)';
const READ_MANY = `select pg_read_binary_file(path, 0, size, true)
  from json_to_recordset($1::json) as wanted(position int, path text, size bigint) order by position`;

const CONTROL_MAX = 512;
const CONTROL_MIN = 200;
const CONTROL_TRIES = 20;

/** The data directory, seen through the server's own functions: so it works from another machine, and in any order. */
export class ClusterFiles {
  readonly #pool: ConnectionPool;

  constructor(pool: ConnectionPool) {
    this.#pool = pool;
  }

  /** In ascending order of the names' bytes. SOURCE_UNREADABLE. */
  async list(directory: string): Promise<ClusterEntry[]> {
    const rows = await this.#pool.use((connection) => connection.text(LIST, [directory || '.']));
    return rows
      .map(([name, isDirectory, size]) => ({
        name: name!,
        isDirectory: isDirectory === 'true',
        size: Number(size),
      }))
      .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  }

  /** At most `length` bytes, fewer at the file's end; null when it is gone. */
  async read(path: string, offset: number, length: number): Promise<Buffer | null> {
    const values = [path, String(offset), String(length)];
    const [row] = await this.#pool.use((connection) => connection.query(READ, values));
    return row?.[0] ?? null;
  }

  /** Whole small files at once; null for those that are gone. */
  async readMany(wanted: readonly { path: string; size: number }[]): Promise<(Buffer | null)[]> {
    const list = JSON.stringify(wanted.map((file, position) => ({ position, ...file })));
    const rows = await this.#pool.use((connection) => connection.query(READ_MANY, [list]));
    return rows.map((row) => row[0] ?? null);
  }

  /** `global/pg_control` as it was at one moment: it may be rewritten while it is read, and nothing in WAL mends it. */
  async readControl(): Promise<Buffer> {
    for (let tries = 0; tries < CONTROL_TRIES; tries++) {
      const control = await this.read('global/pg_control', 0, 8192);
      if (control && isControlSound(control)) return control;
    }
    throw new HoldfastError(
      'SOURCE_CORRUPT',
      'global/pg_control does not have the checksum that it should have',
      {
        hint: 'Check the server with pg_controldata.',
      },
    );
  }
}

/** Its checksum stands behind its fields; how many there are depends on the version, so every place is tried. */
export function isControlSound(control: Buffer): boolean {
  for (let at = CONTROL_MIN; at + 4 <= Math.min(CONTROL_MAX, control.length); at += 4) {
    if (crc32c(control.subarray(0, at)) === control.readUInt32LE(at)) return true;
  }
  return false;
}
