import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import mysql, { type Connection } from 'mysql2/promise';
import { needsPackage } from './debian-package.ts';
import { freePort, serverAccount } from './server-process.ts';

const run = promisify(execFile);
const USER = 'root';
const PASSWORD = 'a quiet harbour';
const START_MS = 60_000;
const POLL_MS = 50;

export interface MariadbOptions {
  /** Further options of the server, without the dashes: `{'log-bin': 'binlog'}`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Debian's MariaDB with a data directory of its own, in a temporary directory, on a free port and a socket. */
export class MariadbServer {
  readonly host = '127.0.0.1';
  readonly user = USER;
  readonly password = PASSWORD;
  readonly port: number;
  readonly socket: string;
  readonly dataDirectory: string;
  readonly #directory: string;
  readonly #settings: Readonly<Record<string, string>>;
  #process: ChildProcess | null = null;

  private constructor(directory: string, port: number, settings: Readonly<Record<string, string>>) {
    this.#directory = directory;
    this.#settings = settings;
    this.port = port;
    this.socket = join(directory, 'mariadb.sock');
    this.dataDirectory = join(directory, 'data');
  }

  /** Null when it can be started here; else why not. Installs Debian's package where that is possible. */
  static async missing(): Promise<string | null> {
    return needsPackage('mariadb-server');
  }

  static async start({ settings = {} }: MariadbOptions = {}): Promise<MariadbServer> {
    const problem = await MariadbServer.missing();
    if (problem) throw new Error(problem);
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-mariadb-'));
    const { uid, gid } = await serverAccount('mysql');
    await chown(directory, uid, gid);
    const server = new MariadbServer(directory, await freePort(), settings);
    const install = ['--no-defaults', `--datadir=${server.dataDirectory}`, '--skip-test-db'];
    const account = process.getuid!() === 0 ? ['--user=mysql'] : [];
    const method = '--auth-root-authentication-method=normal';
    await run('mariadb-install-db', [...install, ...account, method], { cwd: directory });
    await server.#launch('');
    const hosts = ['localhost', '127.0.0.1'].map((host) => `root@'${host}' identified by '${PASSWORD}'`);
    await server.query(`alter user ${hosts.join(', ')}`, undefined, '');
    return server;
  }

  /** Starts again what `stop` or `kill` has ended. */
  async resume(): Promise<void> {
    await this.#launch(PASSWORD);
  }

  async #launch(password: string): Promise<void> {
    const settings: Record<string, string> = {
      datadir: this.dataDirectory,
      'bind-address': this.host,
      port: String(this.port),
      socket: this.socket,
      'pid-file': join(this.#directory, 'mariadb.pid'),
      // A test's machine does not lose power.
      'innodb-flush-log-at-trx-commit': '0',
      'innodb-flush-method': 'nosync',
      'debug-no-sync': '1',
      'innodb-buffer-pool-size': '64M',
      'innodb-log-file-size': '64M',
      ...this.#settings,
    };
    const flags = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
    const account = process.getuid!() === 0 ? ['--user=mysql'] : [];
    const child = spawn('mariadbd', ['--no-defaults', ...account, ...flags], {
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
      if (child.exitCode !== null) throw new Error(`MariaDB did not start: ${log}`);
      try {
        await this.query('select 1', undefined, password);
        return;
      } catch (error) {
        if (Date.now() > until) throw new Error(`MariaDB does not answer: ${log}`, { cause: error });
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
  }

  /** The last statement's rows, numbers that a double cannot hold as text. */
  // biome-ignore lint/suspicious/noExplicitAny: rows of whatever was asked for
  async query(sql: string, database?: string, password: string = PASSWORD): Promise<any[]> {
    const connection = await this.connect(database, password);
    try {
      const [result, fields] = await connection.query(sql);
      const many =
        Array.isArray(result) && Array.isArray(fields) && fields.some((each) => Array.isArray(each));
      // biome-ignore lint/suspicious/noExplicitAny: see above
      return (many ? (result as any[]).at(-1) : result) as any[];
    } finally {
      await connection.end();
    }
  }

  /** Through the socket, as root, with several statements a query. */
  async connect(database?: string, password: string = PASSWORD): Promise<Connection> {
    const connection = await mysql.createConnection({
      socketPath: this.socket,
      user: USER,
      password,
      database,
      charset: 'utf8mb4',
      multipleStatements: true,
      supportBigNumbers: true,
      dateStrings: true,
    });
    // A server that is killed under it must not end the test's process; the next query fails anyway.
    connection.on('error', () => {});
    return connection;
  }

  async createDatabase(name: string): Promise<void> {
    await this.query(`create database \`${name.replaceAll('`', '``')}\``);
  }

  /** MariaDB's own client, for scripts with DELIMITER. Output as is. */
  async script(text: string, database?: string): Promise<string> {
    return this.#program('mariadb', ['--batch', ...(database ? [database] : [])], text);
  }

  /** What Debian's `mariadb-dump` writes, as text. */
  async dump(database: string, options: readonly string[] = []): Promise<string> {
    return this.#program('mariadb-dump', [...options, database]);
  }

  async #program(name: string, args: readonly string[], input = ''): Promise<string> {
    const flags = ['--no-defaults', `--socket=${this.socket}`, `--user=${USER}`];
    const child = run(name, [...flags, '--default-character-set=utf8mb4', ...args], {
      env: { ...process.env, MYSQL_PWD: PASSWORD },
      maxBuffer: 1 << 28,
    });
    child.child.stdin!.end(input);
    return (await child).stdout;
  }

  /** As on a reboot. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** As when the machine dies. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends it and removes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGKILL');
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
