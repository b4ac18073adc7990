import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scratchDatabase } from '../src/postgres/restore/index.ts';
import { databases, serverOptions } from './postgres-restore-helpers.ts';

const missing = await PostgresServer.missing();

describe.skipIf(missing !== null)('scratch databases', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start();
    await server.createDatabase('other');
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const scratches = async (): Promise<string[]> =>
    (await databases(server)).filter((name) => name.startsWith('holdfast_drill_'));

  test('of a run that is alive stay, whatever database that is connected to', async () => {
    await using elsewhere = await scratchDatabase({ ...serverOptions(server), maintenanceDatabase: 'other' });
    await using here = await scratchDatabase(serverOptions(server));
    expect(await scratches()).toEqual([elsewhere.name, here.name].sort());
  });

  test('of a run that ended without dropping them go', async () => {
    await server.createDatabase('holdfast_drill_00000000000000aa');
    await using next = await scratchDatabase(serverOptions(server));
    expect(await scratches()).toEqual([next.name]);
  });

  test('take a right that the message names', async () => {
    await server.query("CREATE ROLE weak LOGIN PASSWORD 'a quiet harbour'");
    const failure = scratchDatabase({ ...serverOptions(server), user: 'weak' });
    await expect(failure).rejects.toThrow(
      expect.objectContaining({
        code: 'TARGET_UNWRITABLE',
        hint: expect.stringContaining('ALTER ROLE "weak" CREATEDB'),
      }),
    );
    expect(await scratches()).toEqual([]);
  });

  test('with a restored subscription can be dropped', async () => {
    const scratch = await scratchDatabase(serverOptions(server));
    await server.query(
      "CREATE SUBSCRIPTION feed CONNECTION 'host=nowhere.invalid' PUBLICATION p WITH (connect = false, slot_name = 'kept')",
      scratch.name,
    );
    await scratch.drop();
    expect(await scratches()).toEqual([]);
  });
});
