import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Readable, Writable } from 'node:stream';
import { memorySink } from '@holdfast/testing/memory-sink';
import { type MemorySourceObject, memorySource } from '@holdfast/testing/memory-source';
import { describeSinkContract, type SinkHarness } from '@holdfast/testing/sink-contract';
import { describeSourceContract } from '@holdfast/testing/source-contract';
import {
  fileSink,
  sqliteSink,
  sqliteSource,
  streamSink,
  streamSource,
  treeSink,
  treeSource,
} from '../src/index.ts';
import { readTree } from './tree-facts.ts';

const temporary = (): string => realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-sources-')));
const removing = (directory: string) => async (): Promise<void> =>
  rmSync(directory, { recursive: true, force: true });
const noise = (length: number, seed: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, i) => Math.imul(i + seed, 0x9e3779b1) >>> 24));

const PLAIN: readonly MemorySourceObject[] = [
  { path: 'directory', content: null },
  { path: 'directory/empty', content: new Uint8Array(0) },
  { path: 'directory/long', content: noise(120_000, 1) },
  { path: 'small', content: noise(1500, 2) },
];

const contents = (objects: readonly MemorySourceObject[]): Map<string, Uint8Array | null> =>
  new Map(objects.map((object) => [String(object.path), object.content]));

function createDatabase(path: string, rows: number): void {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA page_size = 1024; CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
      INSERT INTO t SELECT i, printf('%0100d', i * 7919) FROM n`);
  database.close();
}

function databaseBytes(rows: number): Buffer {
  const directory = temporary();
  createDatabase(join(directory, 'sample.db'), rows);
  const bytes = readFileSync(join(directory, 'sample.db'));
  rmSync(directory, { recursive: true });
  return bytes;
}

// sources

describeSourceContract('memory', async () => ({
  source: memorySource(PLAIN),
  expected: contents(PLAIN),
  cleanUp: async () => undefined,
}));

describeSourceContract('tree', async () => {
  const directory = temporary();
  mkdirSync(join(directory, 'directory'));
  for (const { path, content } of PLAIN)
    if (content !== null) writeFileSync(join(directory, String(path)), content);
  return { source: treeSource({ path: directory }), expected: contents(PLAIN), cleanUp: removing(directory) };
});

describeSourceContract('sqlite', async () => {
  const directory = temporary();
  const path = join(directory, 'a.db');
  createDatabase(path, 3000);
  const expected = new Map([['database', readFileSync(path)]]);
  return { source: sqliteSource({ path }), expected, cleanUp: removing(directory) };
});

describeSourceContract('sqlite with a log', async () => {
  const directory = temporary();
  const path = join(directory, 'a.db');
  createDatabase(path, 3000);
  const writer = new DatabaseSync(path);
  writer.exec(
    'PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; UPDATE t SET body = id WHERE id % 5 = 0',
  );
  const expected = new Map([['database', Buffer.from(writer.serialize())]]);
  const cleanUp = async (): Promise<void> => {
    writer.close();
    await removing(directory)();
  };
  return { source: sqliteSource({ path }), expected, cleanUp };
});

describeSourceContract(
  'stream',
  async () => {
    const content = noise(300_000, 3);
    const pieces = [0, 1, 70_000, 70_001, 300_000].map((end, i, ends) =>
      content.subarray(ends[i - 1] ?? 0, end),
    );
    const source = streamSource({ stream: Readable.from(pieces, { objectMode: false }), name: 'dump.sql' });
    return { source, expected: new Map([['dump.sql', content]]), cleanUp: async () => undefined };
  },
  { repeatable: false },
);

// sinks

describeSinkContract(
  'memory',
  async () => {
    let sink = memorySink();
    return {
      sink: () => {
        sink = memorySink();
        return sink;
      },
      readBack: async () =>
        sink.state === 'finished'
          ? new Map([...sink.objects].map(([path, { content }]) => [path, content]))
          : null,
      cleanUp: async () => undefined,
    };
  },
  { sample: PLAIN, atomic: false },
);

describeSinkContract(
  'tree',
  async () => {
    const directory = temporary();
    const path = join(directory, 'target');
    return {
      sink: ({ overwrite }) => treeSink({ path, overwrite }),
      readBack: async () => (existsSync(path) ? readTree(path) : null),
      cleanUp: removing(directory),
    };
  },
  { sample: PLAIN },
);

function oneFile(
  name: string,
  sinkAt: (path: string, overwrite: boolean) => ReturnType<SinkHarness['sink']>,
) {
  return async (): Promise<SinkHarness> => {
    const directory = temporary();
    const path = join(directory, 'target');
    return {
      sink: ({ overwrite }) => sinkAt(path, overwrite),
      readBack: async () => (existsSync(path) ? new Map([[name, readFileSync(path)]]) : null),
      cleanUp: removing(directory),
    };
  };
}

describeSinkContract(
  'sqlite',
  oneFile('database', (path, overwrite) => sqliteSink({ path, overwrite })),
  {
    sample: [
      {
        path: 'database',
        kind: 'database',
        content: databaseBytes(500),
        cut: { by: 'blocks', blockBytes: 1024 },
      },
    ],
  },
);

describeSinkContract(
  'file',
  oneFile('dump.sql', (path, overwrite) => fileSink({ path, overwrite })),
  { sample: [{ path: 'dump.sql', kind: 'stream', content: noise(100_000, 4) }] },
);

describeSinkContract(
  'stream',
  async () => {
    const written: Buffer[] = [];
    const stream = new Writable({
      highWaterMark: 1000,
      write(piece: Buffer, _encoding, done) {
        setImmediate(() => {
          written.push(Buffer.from(piece));
          done();
        });
      },
    });
    return {
      sink: () => streamSink({ stream }),
      readBack: async () => new Map([['dump.sql', Buffer.concat(written)]]),
      cleanUp: async () => undefined,
    };
  },
  { sample: [{ path: 'dump.sql', kind: 'stream', content: noise(50_000, 5) }], atomic: false },
);
