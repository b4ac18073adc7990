import { execFile, spawn } from 'node:child_process';
import { access, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cancelled, HoldfastError, throwIfAborted } from '@holdfast/contracts';

const run = promisify(execFile);
const DEBIAN = '/usr/lib/postgresql';
/** The rest of a long complaint is of no use. */
const MAX_COMPLAINT = 64 * 1024;

export interface PgRestore {
  readonly path: string;
  readonly major: number;
}

/**
 * The oldest `pg_restore` here that reads archives of this major version: a newer one may set what an older server
 * does not know. TARGET_UNWRITABLE when there is none.
 */
export async function findPgRestore(archiveMajor: number, directory?: string): Promise<PgRestore> {
  const found = await allPgRestores(directory);
  const fit = found.filter(({ major }) => major >= archiveMajor).sort((a, b) => a.major - b.major)[0];
  if (fit !== undefined) return fit;
  const versions = found.map(({ major }) => major).join(', ');
  throw new HoldfastError(
    'TARGET_UNWRITABLE',
    `The snapshot’s schema was written by pg_dump ${archiveMajor}; pg_restore of at least that version is needed, and ${
      found.length === 0 ? 'there is none here' : `only version ${versions} is here`
    }`,
    {
      hint: `Install it: apt-get install postgresql-client-${archiveMajor}`,
      details: { archiveMajor, versions },
    },
  );
}

async function allPgRestores(directory: string | undefined): Promise<PgRestore[]> {
  const directories =
    directory === undefined
      ? [...(process.env.PATH ?? '').split(delimiter), ...(await debianPrograms())]
      : [directory];
  const found: PgRestore[] = [];
  for (const path of new Set(directories.filter(Boolean).map((at) => join(at, 'pg_restore')))) {
    const major = await majorOf(path);
    if (major !== null) found.push({ path, major });
  }
  return found;
}

const debianPrograms = async (): Promise<string[]> =>
  (await readdir(DEBIAN).catch(() => [])).map((version) => join(DEBIAN, version, 'bin'));

async function majorOf(path: string): Promise<number | null> {
  try {
    await access(path);
    return majorIn((await run(path, ['--version'])).stdout);
  } catch {
    return null;
  }
}

/** Of a program's version text: `pg_dump (PostgreSQL) 15.4 (Debian 15.4-1)` is 15. */
export function majorIn(version: string): number | null {
  const match = /\(PostgreSQL\) (\d+)/.exec(version);
  return match === null ? null : Number(match[1]);
}

/** Runs it to its end. TARGET_UNWRITABLE or DISK_FULL naming the object that failed; CANCELLED. */
export async function runPgRestore(
  program: PgRestore,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<string> {
  throwIfAborted(signal);
  // Its messages are read: they must be in English.
  const child = spawn(program.path, args, {
    env: { ...env, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = (): void => void child.kill('SIGTERM');
  signal?.addEventListener('abort', stop, { once: true });
  const output: Buffer[] = [];
  let complaint = '';
  child.stdout.on('data', (piece: Buffer) => output.push(piece));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, MAX_COMPLAINT);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => signal?.removeEventListener('abort', stop));
  if (signal?.aborted) throw cancelled(signal);
  if (code !== 0) throw complaintError(complaint, code);
  return Buffer.concat(output).toString('utf8');
}

/** What `pg_restore` says, as an error of ours: which object, and why. */
export function complaintError(complaint: string, code: number | null = 1): HoldfastError {
  const object = /from TOC entry \d+; \d+ \d+ (.*)/.exec(complaint)?.[1] ?? commandIn(complaint);
  const reason =
    /(?:ERROR|FATAL): {2}(.*)/.exec(complaint)?.[1] ??
    /pg_restore: (?:error|fatal): (.*)/.exec(complaint)?.[1] ??
    (complaint.trim().split('\n')[0] || `pg_restore ended with status ${code}`);
  const full = /No space left on device|could not extend file/.test(reason);
  return new HoldfastError(
    full ? 'DISK_FULL' : 'TARGET_UNWRITABLE',
    object === undefined ? `Restoring the schema failed: ${reason}` : `Restoring ${object} failed: ${reason}`,
    { hint: hintFor(reason), details: { object: object ?? null } },
  );
}

/** Its beginning only: options and connection strings further on may hold passwords. */
function commandIn(complaint: string): string | undefined {
  const command = /Command was: ([A-Z][^('=]{0,150})/.exec(complaint)?.[1];
  return command?.replace(/\s+/g, ' ').trim();
}

function hintFor(reason: string): string | undefined {
  if (/No space left/.test(reason)) return 'Free space on the database server, or restore to another one.';
  if (/must be (superuser|owner|able to SET ROLE|member)|permission denied/.test(reason))
    return 'Restore as a superuser, or leave owners and grants out (owner: none).';
  if (/^role ".*" does not exist/.test(reason))
    return 'Create the role, or let the restore do it (createRoles).';
  if (/^tablespace ".*" does not exist/.test(reason))
    return 'Create the tablespace, or put all tables into the default one (tablespaces: none).';
  if (/could not open extension control file|is not available/.test(reason))
    return 'Install the extension’s package on the database server.';
  if (/connection to server|server closed the connection/.test(reason))
    return 'See the server’s log, and run the restore again.';
  return undefined;
}
