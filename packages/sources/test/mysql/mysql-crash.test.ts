import type { MemorySourceObject } from '@holdfast/testing/memory-source';
import { MariadbServer } from '@holdfast/testing/servers/mariadb-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MysqlSinkOptions, mysqlSink } from '../../src/mysql/index.ts';
import { access, feed, readObjects } from './rig.ts';
import { namesOfSequences, OLD_SCHEMA, SMALL_SCHEMA } from './small-schemas.ts';

const missing = await MariadbServer.missing();

describe.skipIf(missing)('MariaDB as a sink that is cut off', () => {
  let server: MariadbServer;
  beforeAll(async () => {
    server = await MariadbServer.start();
    await server.query(`create database app; use app; ${SMALL_SCHEMA}`);
  }, 120_000);
  afterAll(() => server[Symbol.asyncDispose]());

  const sink = (options: Partial<MysqlSinkOptions> = {}) =>
    mysqlSink({ ...access(server, 'target'), ...options });
  const dump = async (database: string): Promise<string> =>
    namesOfSequences(
      await server.dump(database, ['--routines', '--events', '--skip-comments', '--skip-dump-date']),
    );
  const createOld = (): Promise<unknown> =>
    server.query(`drop database if exists target; create database target; use target; ${OLD_SCHEMA}`);

  /** What the sink sends, and where it is cut off. */
  interface Driver {
    query(...args: unknown[]): unknown;
    destroy(): void;
  }

  /** Whether it got through, and the statements of `finish`. */
  async function finishUntil(
    objects: readonly MemorySourceObject[],
    place: number,
  ): Promise<[boolean, string[]]> {
    await createOld();
    const target = sink({ overwrite: true });
    await feed(target, objects);
    const { driver } = (target as unknown as { connectionForTests: { driver: Driver } }).connectionForTests;
    const query = driver.query.bind(driver);
    const statements: string[] = [];
    driver.query = (...args) => {
      if (statements.length === place) driver.destroy();
      statements.push((args[0] as { sql: string }).sql);
      return query(...args);
    };
    const complete = await target.finish().then(
      () => true,
      () => false,
    );
    return [complete, statements];
  }

  test('at any statement of the end: the old or the new is there, once the next run has begun', async () => {
    const objects = await readObjects(access(server, 'app'));
    await createOld();
    const [old, wanted] = [await dump('target'), await dump('app')];
    const [complete, statements] = await finishUntil(objects, Number.POSITIVE_INFINITY);
    expect(complete).toBe(true);
    const journal = statements.findIndex((sql) => sql.startsWith('UPDATE `target_holdfast_partial`'));
    expect(journal).toBeGreaterThan(10);
    // Before the journal is written, nothing has happened to the target: there, two places do.
    const places = statements.map((_, place) => place).filter((place) => place === 3 || place >= journal - 1);
    const seen = new Set<string>();
    for (const place of places) {
      await finishUntil(objects, place);
      // Even a restore that is refused mends what another has left.
      await expect(sink().begin({ attributes: {} })).rejects.toThrow(
        expect.objectContaining({ code: 'ALREADY_EXISTS' }),
      );
      const now = await dump('target');
      expect([old, wanted], `cut off before ${statements[place]}`).toContain(now);
      seen.add(now);
      expect(await server.query("show databases like 'target%'")).toHaveLength(1);
    }
    expect(seen.size).toBe(2);
  }, 120_000);
});
