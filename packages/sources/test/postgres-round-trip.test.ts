import type { Sink } from '@holdfast/contracts';
import { displayPath } from '@holdfast/contracts';
import {
  decodeRowsDescription,
  decodeRowsIndex,
  type RowsDescription,
  type RowsIndex,
} from '@holdfast/formats/rows';
import { copySnapshot } from '@holdfast/testing/copy-snapshot';
import { dumpOf, firstDifference } from '@holdfast/testing/servers/postgres-dump';
import { type PostgresMajor, PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { createTorture } from '@holdfast/testing/servers/postgres-torture';
import { expect, test } from 'vitest';
import { DatabaseSums, postgresSink, postgresSource } from '../src/postgres/index.ts';
import { serverOptions, sinkOptions } from './postgres-restore-helpers.ts';

const ROW_KEY = new Uint8Array(32).fill(3);
const MAJORS: readonly PostgresMajor[] = [15, 13];

/** Of the windows are some with rows before Christ, and after all time. */
const PARTITIONS = {
  families: {
    'kinds.texts': { documents: ['js', 'x'] },
    'shapes.city': { found: ['doc', 'area'], pii: ['name'] },
  },
  time: { 'kinds.times': 'ts', 'shapes.by_range_2025': { column: 'at', window: 'week' } },
} as const;

interface Recorded {
  readonly rows: RowsDescription;
  readonly index: RowsIndex;
}

/** Remembers what the snapshot says of its rows, on their way. */
function remembering(sink: Sink, recorded: Recorded[]): Sink {
  let rows: RowsDescription | null = null;
  return {
    order: sink.order,
    begin: (snapshot, options) => sink.begin(snapshot, options),
    finish: (options) => sink.finish(options),
    abort: () => sink.abort(),
    async create(object, options) {
      if (object.kind === 'rows') rows = decodeRowsDescription(object.attributes.rows as Uint8Array);
      const writer = await sink.create(object, options);
      if (object.kind !== 'rows-index') return writer;
      const pieces: Buffer[] = [];
      return {
        async write(offset, bytes) {
          pieces.push(Buffer.from(bytes));
          await writer!.write(offset, bytes);
        },
        async complete(size) {
          recorded.push({ rows: rows!, index: decodeRowsIndex(Buffer.concat(pieces)) });
          await writer!.complete(size);
        },
      };
    },
  };
}

for (const major of MAJORS) {
  const missing = (await PostgresServer.missing()) ?? (await PostgresServer.missing(major));
  test.skipIf(missing !== null)(
    `PostgreSQL ${major}: source, sink, and the sums of both`,
    { timeout: 120_000 },
    async () => {
      await using server = await PostgresServer.start({ major });
      await createTorture(server, 'torture');
      const source = postgresSource({ ...serverOptions(server), database: 'torture', ...PARTITIONS });
      const snapshot = await source.open({ rowKey: ROW_KEY });
      const recorded: Recorded[] = [];
      const sink = remembering(postgresSink(sinkOptions(server, { jobs: 3 })), recorded);
      await copySnapshot(snapshot, sink, { bufferBytes: 600_000 });
      expect(snapshot.problems.map(({ path, message }) => `${displayPath(path)}: ${message}`)).toEqual([]);
      await snapshot.close();
      expect(firstDifference(await dumpOf(server, 'torture'), await dumpOf(server, 'back'))).toBeNull();

      expect(recorded.some(({ rows }) => rows.family === 'pii')).toBe(true);
      expect(recorded.some(({ rows }) => rows.window !== null)).toBe(true);
      await using sums = await DatabaseSums.connect({ ...serverOptions(server), database: 'back' });
      for (const { rows, index } of recorded) {
        const found = await sums.of(rows, ROW_KEY);
        const what = `${rows.schema}.${rows.table}.${rows.family}.${rows.window?.label}`;
        expect({ ...found, checksum: Buffer.from(found.checksum) }, what).toEqual({
          rows: index.rows,
          checksum: Buffer.from(index.checksum),
        });
      }
    },
  );
}
