import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { type Clock, HoldfastError, throwIfAborted } from '@holdfast/contracts';

const run = promisify(execFile);

export interface StartOptions {
  /** What a `PhysicalRestore` made. */
  readonly directory: string;
  readonly clock: Clock;
  /** Directory of the server's programs; default: looked for in PATH and where packages put them. */
  readonly programs?: string;
  /** Further settings, such as `port`. By default the server listens on a socket in `socketDirectory` only. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Default `/tmp`. */
  readonly socketDirectory?: string;
  readonly signal?: AbortSignal;
}

/** A server that has recovered and takes connections. */
export interface RecoveredServer {
  readonly major: number;
  readonly seconds: number;
  /** Waits for it to shut down; the directory can then be started by other means. */
  stop(): Promise<void>;
}

const POLL_MS = 100;
const LOG_KEPT = 16 * 1024;
const STATUS_LINE = 7;

/**
 * Starts the server on a restored directory and waits until recovery has ended and it takes writes.
 * @throws NOT_FOUND without a server of the same major version on this machine; INCOMPLETE, with the server's log in
 * `details.log`, when it ends before.
 */
export async function startRecovered(options: StartOptions): Promise<RecoveredServer> {
  const { directory, clock, signal } = options;
  const major = Number.parseInt(readFileSync(join(directory, 'PG_VERSION'), 'utf8'), 10);
  const program = await findServer(major, options.programs);
  const began = clock.monotonic();
  const child = spawn(program, ['-D', directory, ...flagsOf(options)], {
    ...accountOf(directory),
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const log = keepLog(child);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    while (!isOpen(directory, child)) {
      throwIfAborted(signal);
      if (hasEnded(child)) throw failed(directory, await ended.then(log));
      await clock.sleep(POLL_MS, { signal });
    }
  } catch (error) {
    if (!hasEnded(child)) child.kill('SIGINT');
    await ended;
    throw error;
  }
  const stop = async (): Promise<void> => {
    if (!hasEnded(child)) child.kill('SIGINT');
    await ended;
  };
  return { major, seconds: (clock.monotonic() - began) / 1000, stop };
}

function flagsOf({ settings, socketDirectory = '/tmp' }: StartOptions): string[] {
  const all = {
    listen_addresses: '',
    unix_socket_directories: socketDirectory,
    logging_collector: 'off',
    log_destination: 'stderr',
    // So that nobody reads, and `ready` is not said, before recovery has ended.
    hot_standby: 'off',
    recovery_target_action: 'promote',
    ...settings,
  };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** The postmaster writes into its lock file how far it is, in English whatever its language. */
function isOpen(directory: string, child: ChildProcess): boolean {
  try {
    const lines = readFileSync(join(directory, 'postmaster.pid'), 'utf8').split('\n');
    return Number(lines[0]) === child.pid && lines[STATUS_LINE]?.trim() === 'ready';
  } catch {
    return false;
  }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

function keepLog(child: ChildProcess): () => string {
  let log = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-LOG_KEPT);
  });
  child.on('error', (error) => {
    log += String(error);
  });
  return () => log;
}

function failed(directory: string, log: string): HoldfastError {
  const fatal = log
    .split('\n')
    .filter((line) => /FATAL|PANIC/.test(line))
    .at(-1);
  return new HoldfastError(
    'INCOMPLETE',
    `The server in ${directory} did not recover: ${fatal ?? 'it ended without a reason'}`,
    {
      hint: 'The directory is left as it is. Look at the log in the details.',
      details: { log },
    },
  );
}

/** The server does not run as root, but as who owns its files. */
function accountOf(directory: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const { uid, gid } = lstatSync(directory);
  if (uid !== 0) return { uid, gid };
  throw new HoldfastError(
    'TARGET_UNWRITABLE',
    `PostgreSQL does not run as root, and root owns ${directory}`,
    {
      hint: 'Create an account for it (postgres), give it the directory, or restore as an ordinary user.',
    },
  );
}

/** The `postgres` program of a major version. NOT_FOUND. */
export async function findServer(major: number, programs?: string): Promise<string> {
  const places = programs
    ? [programs]
    : [...(process.env.PATH ?? '').split(delimiter), ...packagedPlaces(major)];
  const found = new Set<string>();
  for (const place of places.filter(Boolean)) {
    const program = join(place, 'postgres');
    const version = existsSync(program) ? await majorOf(program) : null;
    if (version === major) return program;
    if (version !== null) found.add(String(version));
  }
  const others = found.size > 0 ? `; there is ${[...found].join(', ')}` : '';
  throw new HoldfastError(
    'NOT_FOUND',
    `PostgreSQL ${major} is needed to start this cluster, and is not on this machine${others}`,
    {
      hint: `Install it (Debian: apt-get install postgresql-${major}), or name the directory of its programs.`,
      details: { major },
    },
  );
}

function packagedPlaces(major: number): string[] {
  const fixed = [
    `/usr/lib/postgresql/${major}/bin`,
    `/usr/pgsql-${major}/bin`,
    `/opt/homebrew/opt/postgresql@${major}/bin`,
  ];
  const nix = '/usr/lib/postgresql';
  const debian = existsSync(nix) ? readdirSync(nix).map((name) => join(nix, name, 'bin')) : [];
  return [...fixed, ...debian];
}

async function majorOf(program: string): Promise<number | null> {
  try {
    const { stdout } = await run(program, ['--version']);
    return Number(/\) (\d+)/.exec(stdout)?.[1] ?? Number.NaN) || null;
  } catch {
    return null;
  }
}
