import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@holdfast/node';
import { connectWith, type RecoveredServer, startRecovered } from '@holdfast/sources/postgres-wal';
import type { PostgresServer } from '@holdfast/testing/servers/postgres-server';

/** Restored data directories, and servers on them. Where the account of servers can reach them, which a test's own directory is not. */
export class RestoredClusters {
  readonly directory = mkdtempSync(join(tmpdir(), 'holdfast-restored-'));
  readonly #running: RecoveredServer[] = [];

  constructor() {
    if (process.getuid!() !== 0) return;
    const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'])));
    chownSync(this.directory, uid!, gid!);
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** What a statement gives on the server that was restored there, once it has recovered. */
  // biome-ignore lint/suspicious/noExplicitAny: rows of whatever was asked for
  async query(name: string, sql: string, database: string, original: PostgresServer): Promise<any[]> {
    const port = String(7400 + this.#running.length);
    const settings = { port, fsync: 'off', track_commit_timestamp: 'on' };
    const directory = this.path(name);
    const server = await startRecovered({
      directory,
      clock: systemClock,
      socketDirectory: this.directory,
      settings,
    });
    this.#running.push(server);
    const { user, password } = original;
    const client = await connectWith({ host: this.directory, port: Number(port), user, password, database })(
      {},
    );
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
      await server.stop();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#running) await server.stop();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
