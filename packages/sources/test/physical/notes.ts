import type { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import type { ProtectionOptions } from '../../src/postgres/wal/protection.ts';
import { ProtectedServer } from './protected-server.ts';

/** WAL is recycled as soon as nobody needs it. */
export const SHORT_MEMORY = { max_wal_size: '32MB', min_wal_size: '32MB', wal_keep_size: '0' };

export const insert = (server: PostgresServer, text: string): Promise<unknown> =>
  server.query(`insert into notes values ('${text}')`);

/** Megabytes of WAL, in segments that a checkpoint may then remove. */
export async function writeMuch(server: PostgresServer, segments: number): Promise<void> {
  for (let i = 0; i < segments; i++) {
    await server.query(`insert into notes select repeat(md5(random()::text), 30) from generate_series(1, 100);
      select pg_switch_wal()`);
  }
  await server.query('checkpoint');
}

export const forEver = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });

export async function recovered(world: ProtectedServer, target = 'latest'): Promise<string[]> {
  const client = await world.recover(target);
  const { rows } = await client.query('select text from notes where length(text) < 30 order by text');
  await client.end();
  return rows.map(({ text }: { text: string }) => text);
}

export async function begun(
  settings: Record<string, string> = {},
  options: Partial<ProtectionOptions> = {},
): Promise<ProtectedServer> {
  const world = await ProtectedServer.start({ settings });
  await world.server.query('create table notes (text text)');
  world.protect(options);
  await world.base();
  return world;
}
