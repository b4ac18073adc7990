import { spawn } from 'node:child_process';
import { HoldfastError, throwIfAborted } from '@holdfast/contracts';
import type { PgDump } from './find-pg-dump.ts';
import { libpqEnvironment } from './libpq-environment.ts';
import type { PostgresConnectionOptions } from './options.ts';

export interface DumpOptions {
  readonly connection: PostgresConnectionOptions;
  readonly pgDump: PgDump;
  readonly snapshotId: string;
  readonly lockTimeoutMs: number;
}

/** A schema larger than this is none. */
const MAX_ARCHIVE = 1024 * 1024 * 1024;
const KEPT_ERRORS = 16 * 1024;

/** What creates everything but rows: pg_dump's custom format, as of the snapshot. SOURCE_UNREADABLE, CANCELLED. */
export async function dumpSchema(options: DumpOptions, signal?: AbortSignal): Promise<Buffer> {
  throwIfAborted(signal);
  const { pgDump, snapshotId, lockTimeoutMs } = options;
  const flags = [
    '--format=custom',
    '--compress=0',
    '--schema-only',
    '--no-password',
    `--snapshot=${snapshotId}`,
  ];
  const child = spawn(pgDump.path, [...flags, `--lock-wait-timeout=${lockTimeoutMs}`], {
    env: await libpqEnvironment(options.connection),
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  const parts: Buffer[] = [];
  let total = 0;
  let errors = '';
  child.stdout.on('data', (part: Buffer) => {
    total += part.length;
    if (total <= MAX_ARCHIVE) parts.push(part);
    else child.kill();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-KEPT_ERRORS);
  });
  const { status, failure } = await new Promise<{ status: number | null; failure: Error | null }>(
    (resolve) => {
      child.on('error', (error) => resolve({ status: null, failure: error }));
      child.on('close', (code) => resolve({ status: code, failure: null }));
    },
  );
  throwIfAborted(signal);
  if (failure || status !== 0) throw dumpError(pgDump, errors || failure?.message || `exit code ${status}`);
  return withoutDate(Buffer.concat(parts));
}

function dumpError(pgDump: PgDump, errors: string): HoldfastError {
  const text = errors.trim();
  const hint = dumpHint(text);
  return new HoldfastError('SOURCE_UNREADABLE', `${pgDump.path} failed: ${text.split('\n')[0]}`, {
    hint,
    details: { output: text },
  });
}

function dumpHint(text: string): string {
  const denied = /permission denied for (\w+) (\S+)/.exec(text);
  if (denied)
    return `pg_dump needs rights on ${denied[1]} ${denied[2]} even where its rows are excluded: GRANT SELECT on it, or (from version 14 on) GRANT pg_read_all_data, to the user who backs up.`;
  if (text.includes('lock timeout'))
    return 'A table was locked for longer than `lockTimeout`: find who holds it in pg_locks, or raise it.';
  if (/too many (connections|clients)/.test(text))
    return 'A backup takes two connections more than `connections`: lower that, or raise the limit.';
  return 'Run pg_dump --schema-only with the same user and database to see more.';
}

const MAGIC = 'PGDMP';
const VERSION_AT = 5;
const INT_SIZE_AT = 8;
const FORMAT_AT = 10;
/** From archive version 1.15 (pg_dump 16) on, compression is one byte that names a method. */
const NAMED_COMPRESSION = 15;
/** Seconds, minutes, hours, day, month − 1, year − 1900, summer time: 2000-01-01 00:00:00. */
const FIXED_DATE = [0, 0, 0, 1, 0, 100, 0];

/** The archive's date would make each differ from the last, though nothing has changed. */
export function withoutDate(archive: Buffer): Buffer {
  if (archive.toString('latin1', 0, MAGIC.length) !== MAGIC)
    throw new HoldfastError('SOURCE_UNREADABLE', 'What pg_dump wrote is no archive', {
      hint: 'Check the pg_dump found.',
    });
  const intBytes = 1 + archive[INT_SIZE_AT]!;
  const compressionBytes = archive[VERSION_AT + 1]! >= NAMED_COMPRESSION ? 1 : intBytes;
  let at = FORMAT_AT + 1 + compressionBytes;
  for (const value of FIXED_DATE) {
    archive.fill(0, at, at + intBytes);
    // A sign, then the least significant byte first.
    archive[at + 1] = value;
    at += intBytes;
  }
  return archive;
}
