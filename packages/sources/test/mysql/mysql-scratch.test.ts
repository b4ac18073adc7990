import { MariadbServer } from '@holdfast/testing/servers/mariadb-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MysqlDatabaseSums, mysqlScratchDatabase } from '../../src/mysql/index.ts';
import { access, readRows, restore } from './rig.ts';

const missing = await MariadbServer.missing();
const ROW_KEY = new Uint8Array(32).fill(9);
const SCHEMA = `
  create table notes (id int primary key, at datetime, body text, price double, place point, flags bit(3));
  insert into notes values (1, '2026-01-05', 'one', 0.1, point(1, 2), 5), (2, '2026-02-05', NULL, NULL, NULL, NULL),
    (3, '2026-02-06', 'three', 1e300, point(-1, 0.5), 0);
  create table hits (n int) engine=InnoDB;
  create event wipe on schedule every 1 second do delete from notes;`;

describe.skipIf(missing)('scratch databases of MariaDB', () => {
  let server: MariadbServer;
  beforeAll(async () => {
    server = await MariadbServer.start();
    await server.createDatabase('app');
    await server.query(SCHEMA, 'app');
  }, 120_000);
  afterAll(() => server[Symbol.asyncDispose]());

  const place = () => {
    const { database: _, ...options } = access(server, 'app');
    return options;
  };
  const scratches = async (): Promise<string[]> =>
    (await server.query("show databases like 'holdfast%'")).map((row) => String(Object.values(row)[0]));

  test('go with their run; those of the dead with the next, those of the living stay', async () => {
    for (const left of ['', '_holdfast_partial', '_holdfast_old'])
      await server.createDatabase(`holdfast_drill_00000000000000aa${left}`);
    await server.createDatabase('holdfast_drill_of_mine');
    const first = await mysqlScratchDatabase(place());
    const second = await mysqlScratchDatabase(place());
    expect((await scratches()).sort()).toEqual(['holdfast_drill_of_mine', first.name, second.name].sort());
    await first.drop();
    await first.drop();
    await second.drop();
    expect(await scratches()).toEqual(['holdfast_drill_of_mine']);
  });

  test('are restored to without events, and any change in them is seen', async () => {
    await using scratch = await mysqlScratchDatabase(place());
    const source = { time: { notes: { column: 'at', window: 'month' } } } as const;
    await restore(server, 'app', scratch.name, { source, sink: { events: false } });
    expect(await server.query('show events', scratch.name)).toEqual([]);
    const recorded = [...(await readRows({ ...access(server, 'app'), ...source }, ROW_KEY)).values()];
    expect(recorded.length).toBe(3);
    const different = async (): Promise<(string | undefined)[]> => {
      await using sums = await MysqlDatabaseSums.connect(access(server, scratch.name));
      const wrong: (string | undefined)[] = [];
      for (const { description, index } of recorded) {
        const { rows, checksum } = await sums.of(description, ROW_KEY);
        const same = rows === index.rows && Buffer.from(checksum).equals(index.checksum);
        if (!same) wrong.push(description.window?.label ?? description.table);
      }
      return wrong;
    };
    expect(await different()).toEqual([]);
    for (const [change, where] of [
      ["update notes set body = 'One' where id = 1", '2026-01'],
      ["update notes set body = '' where id = 2", '2026-02'],
      ['update notes set flags = 1 where id = 3', '2026-02'],
      ['insert into hits values (1)', 'hits'],
    ] as const) {
      await server.query('create or replace table kept as select * from notes', scratch.name);
      await server.query(change, scratch.name);
      expect(await different(), change).toEqual([where]);
      await server.query(
        'delete from notes; insert into notes select * from kept; delete from hits',
        scratch.name,
      );
    }
  });
});
