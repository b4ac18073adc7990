import { copySnapshot } from '@holdfast/testing/copy-snapshot';
import { type MemorySourceObject, memorySource } from '@holdfast/testing/memory-source';
import type { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { expect } from 'vitest';
import { type PostgresSink, type PostgresSinkOptions, postgresSink } from '../src/postgres/restore/index.ts';

export const PASSWORD_ENV = 'HOLDFAST_TEST_PASSWORD';
process.env[PASSWORD_ENV] = 'a quiet harbour';

export const serverOptions = ({ host, port, user }: PostgresServer) => ({
  host,
  port,
  user,
  passwordEnv: PASSWORD_ENV,
});

export const sinkOptions = (
  server: PostgresServer,
  more: Partial<PostgresSinkOptions> = {},
): PostgresSinkOptions => ({ ...serverOptions(server), database: 'back', jobs: 2, ...more });

/** By the sink, in pieces of `bufferBytes`. */
export async function restore(
  server: PostgresServer,
  objects: readonly MemorySourceObject[],
  more: Partial<PostgresSinkOptions> = {},
  bufferBytes = 70_000,
): Promise<PostgresSink> {
  const sink = postgresSink(sinkOptions(server, more));
  await copySnapshot(await memorySource(objects).open(), sink, { bufferBytes });
  return sink;
}

export const databases = async (server: PostgresServer): Promise<string[]> =>
  (
    await server.query("SELECT datname FROM pg_database WHERE datname !~ '^(template|postgres)' ORDER BY 1")
  ).map(({ datname }) => datname);

export const coded = (code: string, message?: RegExp): unknown =>
  expect.objectContaining({ code, ...(message && { message: expect.stringMatching(message) }) });
