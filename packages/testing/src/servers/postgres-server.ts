import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { needsPackage } from './debian-package.ts';
import { freePort, serverAccount } from './server-process.ts';

const run = promisify(execFile);
const USER = 'postgres';
const PASSWORD = 'a quiet harbour';
const START_MS = 30_000;

/** 15 is Debian's, with its client programs. 13 and 17 come from npm, and bring the server alone. */
export type PostgresMajor = 13 | 15 | 17;

export interface PostgresOptions {
  readonly major?: PostgresMajor;
  /** Further lines of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A PostgreSQL cluster of its own, in a temporary directory, on a free port of the loopback interface. */
export class PostgresServer {
  readonly host = '127.0.0.1';
  readonly user = USER;
  readonly password = PASSWORD;
  readonly port: number;
  /** The cluster's; a parent holds the password file and the log. */
  readonly dataDirectory: string;
  /** Of the server's programs; with 15 also pg_dump, pg_restore, psql. */
  readonly programs: string;
  readonly #directory: string;
  readonly #settings: Readonly<Record<string, string>>;
  #process: ChildProcess | null = null;

  private constructor(at: {
    directory: string;
    programs: string;
    port: number;
    settings: Readonly<Record<string, string>>;
  }) {
    this.#directory = at.directory;
    this.#settings = at.settings;
    this.dataDirectory = join(at.directory, 'data');
    this.programs = at.programs;
    this.port = at.port;
  }

  /** Null when it can be started here; else why not. Installs Debian's package where that is possible. */
  static async missing(major: PostgresMajor = 15): Promise<string | null> {
    if (major === 15) return needsPackage('postgresql-15');
    try {
      await programsOf(major);
      return null;
    } catch {
      return `npm brings PostgreSQL ${major} for Linux on x64 alone`;
    }
  }

  static async start({ major = 15, settings = {} }: PostgresOptions = {}): Promise<PostgresServer> {
    const programs = await programsOf(major);
    const account = await serverAccount('postgres', 'nobody');
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-postgres-'));
    await chown(directory, account.uid, account.gid);
    const passwordFile = join(directory, 'password');
    await writeFile(passwordFile, `${PASSWORD}\n`);
    await chown(passwordFile, account.uid, account.gid);
    const server = new PostgresServer({ directory, programs, port: await freePort(), settings });
    const initdb = ['-D', server.dataDirectory, '-U', USER, '-A', 'scram-sha-256', '--pwfile', passwordFile];
    await run(join(programs, 'initdb'), [...initdb, '--no-sync', '-E', 'UTF8', '--no-locale'], {
      ...account,
      cwd: directory,
    });
    await server.resume();
    return server;
  }

  /** Starts again what `stop` or `kill` has ended. */
  async resume(): Promise<void> {
    const settings = {
      listen_addresses: this.host,
      port: String(this.port),
      unix_socket_directories: this.#directory,
      // A test's machine does not lose power.
      fsync: 'off',
      ...this.#settings,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const account = await serverAccount('postgres', 'nobody');
    const child = spawn(join(this.programs, 'postgres'), ['-D', this.dataDirectory, ...flags], {
      ...account,
      cwd: this.#directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    let log = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-8192);
    });
    const until = Date.now() + START_MS;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`PostgreSQL did not start: ${log}`);
      try {
        await this.query('select 1');
        return;
      } catch (error) {
        if (Date.now() > until) throw new Error(`PostgreSQL does not answer: ${log}`, { cause: error });
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  /** For whoever reads the credentials from a file: `host:port:database:user:password`. */
  async passFile(password: string = PASSWORD, user: string = USER): Promise<string> {
    const path = join(this.#directory, `pgpass-${user}`);
    const escaped = password.replace(/[\\:]/g, '\\$&');
    await writeFile(path, `${this.host}:${this.port}:*:${user}:${escaped}\n`, { mode: 0o600 });
    return path;
  }

  url(database: string): string {
    return `postgres://${USER}:${encodeURIComponent(PASSWORD)}@${this.host}:${this.port}/${database}`;
  }

  /** One connection's environment for libpq's programs. */
  environment(database = 'postgres'): NodeJS.ProcessEnv {
    const { host: PGHOST, user: PGUSER, password: PGPASSWORD } = this;
    return { ...process.env, PGHOST, PGPORT: String(this.port), PGUSER, PGPASSWORD, PGDATABASE: database };
  }

  /** The last statement's rows, as the driver makes them. */
  // biome-ignore lint/suspicious/noExplicitAny: rows of whatever was asked for
  async query(sql: string, database = 'postgres', values?: unknown[]): Promise<any[]> {
    const client = await this.connect(database);
    try {
      const result = await client.query(sql, values);
      return (Array.isArray(result) ? result.at(-1) : result).rows;
    } finally {
      await client.end();
    }
  }

  async connect(database = 'postgres'): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.url(database) });
    // A server that is killed under it must not end the test's process; the next query fails anyway.
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  async createDatabase(name: string): Promise<void> {
    await this.query(`create database "${name.replaceAll('"', '""')}"`);
  }

  /** psql on Debian's, for scripts that only it understands. Output as is. */
  async psql(script: string, database = 'postgres'): Promise<string> {
    const flags = ['-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', '-f', '-'];
    const child = run(join(await programsOf(15), 'psql'), flags, {
      env: this.environment(database),
      maxBuffer: 1 << 28,
    });
    child.child.stdin!.end(script);
    return (await child).stdout;
  }

  /** As on a reboot. */
  async stop(): Promise<void> {
    await this.#end('SIGINT');
  }

  /** As when the machine dies: the postmaster and all of its children at once. */
  async kill(): Promise<void> {
    const [pid] = (await readFile(join(this.dataDirectory, 'postmaster.pid'), 'utf8')).split('\n');
    const children = await run('ps', ['--ppid', pid!, '-o', 'pid=']).catch(() => ({ stdout: '' }));
    for (const child of children.stdout.split(/\s+/).filter(Boolean)) {
      try {
        process.kill(Number(child), 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
    await this.#end('SIGKILL');
  }

  /** Ends it and removes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGQUIT');
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }
}

async function programsOf(major: PostgresMajor): Promise<string> {
  if (major === 15) {
    const problem = await needsPackage('postgresql-15');
    if (problem) throw new Error(problem);
    return '/usr/lib/postgresql/15/bin';
  }
  const entry = fileURLToPath(import.meta.resolve(`postgres-${major}`));
  return join(dirname(entry), '..', 'native', 'bin');
}
