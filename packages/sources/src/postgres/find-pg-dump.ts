import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readdir, realpath } from 'node:fs/promises';
import { basename, delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { HoldfastError } from '@holdfast/contracts';
import { majorOf } from './server-facts.ts';

const run = promisify(execFile);

export interface PgDump {
  readonly path: string;
  readonly major: number;
  /** `pg_dump (PostgreSQL) 15.8`. */
  readonly version: string;
}

/** Where packages put the programs of each major version. */
const PACKAGE_ROOTS = [
  { root: '/usr/lib/postgresql', program: (name: string) => join(name, 'bin', 'pg_dump'), fits: /^\d+$/ },
  { root: '/usr', program: (name: string) => join(name, 'bin', 'pg_dump'), fits: /^pgsql-\d+$/ },
  {
    root: '/opt/homebrew/opt',
    program: (name: string) => join(name, 'bin', 'pg_dump'),
    fits: /^postgresql@\d+$/,
  },
];

/**
 * The pg_dump of the lowest version that understands the server; one of a lower major version than the server's refuses it.
 * SOURCE_UNREADABLE, saying which package to install.
 */
export async function findPgDump(serverVersion: number, given?: string): Promise<PgDump> {
  const major = majorOf(serverVersion);
  const found =
    given === undefined ? await allPgDumps() : [await versionOf(given)].filter((each) => each !== null);
  const fitting = found.filter((each) => each.major >= major).toSorted((a, b) => a.major - b.major)[0];
  if (fitting) return fitting;
  const newest = found.toSorted((a, b) => b.major - a.major)[0];
  const what = newest
    ? `The server is of version ${major}, and pg_dump (${newest.path}) of ${newest.major}: it cannot read newer servers`
    : given === undefined
      ? 'There is no pg_dump on this machine'
      : `${given} is no pg_dump that runs here`;
  throw new HoldfastError('SOURCE_UNREADABLE', what, {
    hint: `Install it: postgresql-client-${major} on Debian and Ubuntu (apt.postgresql.org has every version), postgresql${major} on RPM systems.`,
    details: { serverMajor: major, pgDump: newest?.path ?? null },
  });
}

async function allPgDumps(): Promise<PgDump[]> {
  const paths = new Set<string>();
  for (const directory of (process.env.PATH ?? '').split(delimiter))
    if (directory !== '') paths.add(join(directory, 'pg_dump'));
  for (const { root, program, fits } of PACKAGE_ROOTS)
    for (const name of await readdir(root).catch(() => []))
      if (fits.test(name)) paths.add(join(root, program(name)));
  const found = await Promise.all(Array.from(paths, versionOf));
  return found.filter((each) => each !== null);
}

async function versionOf(path: string): Promise<PgDump | null> {
  try {
    await access(path, constants.X_OK);
    // Debian's wrapper chooses a version by itself, and not always one that fits.
    if (basename(await realpath(path)) === 'pg_wrapper') return null;
    const { stdout } = await run(path, ['--version']);
    const version = stdout.trim();
    const major = Number(/^pg_dump \(PostgreSQL\) (\d+)/.exec(version)?.[1]);
    return Number.isInteger(major) ? { path, major, version } : null;
  } catch {
    return null;
  }
}
