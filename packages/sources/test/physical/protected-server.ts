import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresOptions, PostgresServer } from '@holdfast/testing/servers/postgres-server';
import pg from 'pg';
import { parseLsn } from '../../src/postgres/wal/lsn.ts';
import {
  ContinuousProtection,
  type ProtectionEvent,
  type ProtectionOptions,
} from '../../src/postgres/wal/protection.ts';
import type { RecoveryPlan } from '../../src/postgres/wal/restore/plan-recovery.ts';
import { serverAccount } from '../../src/postgres/wal/restore/server-account.ts';
import { startRecovered } from '../../src/postgres/wal/restore/start-recovered.ts';
import { connectWith } from '../../src/postgres/wal/wire/raw-connection.ts';
import { realClock, Shelf, until } from './shelf.ts';

/** A server with protection running against it, and what was stored of it. */
export class ProtectedServer {
  readonly server: PostgresServer;
  readonly shelf = new Shelf();
  readonly events: ProtectionEvent[] = [];
  readonly directory: string;
  protection!: ContinuousProtection;
  #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #recovered: { stop(): Promise<void> }[] = [];

  private constructor(server: PostgresServer, directory: string) {
    this.server = server;
    this.directory = directory;
  }

  static async start(options: PostgresOptions = {}): Promise<ProtectedServer> {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-physical-'));
    await ownDirectory(directory);
    const settings = { track_commit_timestamp: 'on', ...options.settings };
    return new ProtectedServer(await PostgresServer.start({ ...options, settings }), directory);
  }

  protect(options: Partial<ProtectionOptions> = {}): void {
    this.#stop = new AbortController();
    this.protection = new ContinuousProtection({
      connect: connectWith({ connectionString: this.server.url('postgres') }),
      clock: realClock,
      slot: 'holdfast_test',
      maxLag: 200,
      watchEvery: 50,
      checkpoint: 'fast',
      lastWal: this.shelf.wals.at(-1) ?? null,
      lastBase: this.shelf.bases.at(-1) ?? null,
      nextBase: (last) => last + 3_600_000,
      storeSnapshot: async (source, _what, signal) => {
        await this.shelf.store(source, signal);
      },
      onEvent: (event) => this.events.push(event),
      ...options,
    });
    this.#running = this.protection.run(this.#stop.signal).catch((error) => error);
  }

  of<T extends ProtectionEvent['type']>(type: T): Extract<ProtectionEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<ProtectionEvent, { type: T }> => event.type === type);
  }

  /** All that is written by now. */
  async stored(): Promise<void> {
    const [{ lsn }] = await this.server.query('select pg_current_wal_flush_lsn()::text as lsn');
    await until(() => (this.protection.status().storedLsn ?? 0n) >= parseLsn(lsn));
  }

  async base(count = 1): Promise<void> {
    await until(() => this.of('base-stored').length >= count);
  }

  /** Ends protection; gives why it ended. */
  async unprotect(): Promise<unknown> {
    this.#stop.abort();
    return this.#running;
  }

  get ended(): Promise<unknown> {
    return this.#running;
  }

  /** Restores, starts, and gives a connection to the recovered server. */
  async recover(target: string | RecoveryPlan, programs = this.server.programs): Promise<pg.Client> {
    const plan = typeof target === 'string' ? this.shelf.plan(target) : target;
    const path = join(this.directory, `restored-${this.#recovered.length}`);
    await this.shelf.restore(plan, path);
    return this.start(path, programs);
  }

  async start(path: string, programs = this.server.programs): Promise<pg.Client> {
    const port = 7000 + this.#recovered.length;
    const settings = { port: String(port), fsync: 'off', track_commit_timestamp: 'on' };
    const server = await startRecovered({
      directory: path,
      clock: realClock,
      programs,
      settings,
      socketDirectory: this.directory,
    });
    this.#recovered.push(server);
    const { user, password } = this.server;
    const client = new pg.Client({ host: this.directory, port, user, password, database: 'postgres' });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unprotect();
    for (const server of this.#recovered) await server.stop();
    await this.server[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

export async function ownDirectory(directory: string): Promise<void> {
  const account = process.getuid?.() === 0 ? serverAccount() : null;
  if (account) await chown(directory, account.uid, account.gid);
}
