import { copySnapshot } from '@holdfast/testing/copy-snapshot';
import { memorySource } from '@holdfast/testing/memory-source';
import { dumpOf, firstDifference } from '@holdfast/testing/servers/postgres-dump';
import { type PostgresMajor, PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { createTorture } from '@holdfast/testing/servers/postgres-torture';
import { expect, test } from 'vitest';
import { postgresSink } from '../src/postgres/restore/index.ts';
import { objectsOf } from './postgres-objects.ts';

process.env.HOLDFAST_TEST_PASSWORD = 'a quiet harbour';

const MAJORS: readonly PostgresMajor[] = [15, 13];

for (const major of MAJORS) {
  const missing = (await PostgresServer.missing()) ?? (await PostgresServer.missing(major));
  test.skipIf(missing !== null)(
    `PostgreSQL ${major}: pg_dump cannot tell the restored database`,
    async () => {
      await using server = await PostgresServer.start({ major });
      await createTorture(server, 'torture');
      const objects = await objectsOf(server, 'torture');
      const sink = postgresSink({
        host: server.host,
        port: server.port,
        user: server.user,
        passwordEnv: 'HOLDFAST_TEST_PASSWORD',
        database: 'back',
        jobs: 3,
      });
      await copySnapshot(await memorySource(objects).open(), sink, { bufferBytes: 300_000 });
      expect(firstDifference(await dumpOf(server, 'torture'), await dumpOf(server, 'back'))).toBeNull();
    },
  );
}
