import { displayPath, type Sink, type SourceObject, type SourceSnapshot } from '@holdfast/contracts';
import {
  decodeRowsDescription,
  decodeRowsIndex,
  type RowsDescription,
  type RowsIndex,
} from '@holdfast/formats/rows';
import { copySnapshot, readWhole } from '@holdfast/testing/copy-snapshot';
import type { MemorySourceObject } from '@holdfast/testing/memory-source';
import type { MariadbServer } from '@holdfast/testing/servers/mariadb-server';
import {
  type MysqlSinkOptions,
  type MysqlSourceOptions,
  mysqlSink,
  mysqlSource,
} from '../../src/mysql/index.ts';
import { fieldsOf } from '../../src/rows/tuple-splitter.ts';

export const PASSWORD_VARIABLE = 'HOLDFAST_TEST_MARIADB';

/** What sources and sinks need to reach a database of the server as root. */
export function access(server: MariadbServer, database: string) {
  process.env[PASSWORD_VARIABLE] = server.password;
  return { host: server.socket, user: server.user, database, passwordEnv: PASSWORD_VARIABLE };
}

export interface RestoreOptions {
  readonly source?: Partial<MysqlSourceOptions>;
  readonly sink?: Partial<MysqlSinkOptions>;
  /** Objects that do not reach the sink. */
  readonly without?: (path: string) => boolean;
}

/** From one database of a server to another. The sink's notes. */
export async function restore(
  server: MariadbServer,
  from: string,
  to: string,
  { source, sink, without = () => false }: RestoreOptions = {},
): Promise<readonly string[]> {
  const snapshot = await mysqlSource({ ...access(server, from), ...source }).open();
  const target = mysqlSink({ ...access(server, to), ...sink });
  const some = {
    ...snapshot,
    async *objects(options?: { signal?: AbortSignal }) {
      for await (const object of snapshot.objects(options))
        if (!without(displayPath(object.path))) yield object;
    },
  };
  try {
    await copySnapshot(some, target);
  } finally {
    await snapshot.close();
  }
  return target.notes;
}

export interface ReadRows {
  readonly path: string;
  readonly object: SourceObject;
  readonly description: RowsDescription;
  readonly index: RowsIndex;
  readonly content: Uint8Array;
  /** Fields as text. */
  readonly rows: (string | null)[][];
}

/** All rows of a database, by the paths of their objects. */
export async function readRows(
  options: MysqlSourceOptions,
  rowKey?: Uint8Array,
): Promise<Map<string, ReadRows>> {
  const snapshot = await mysqlSource(options).open({ rowKey });
  const buffer = new Uint8Array(300_000);
  const found = new Map<string, ReadRows>();
  let last: Omit<ReadRows, 'index'> | null = null;
  try {
    for await (const object of snapshot.objects()) {
      const reader = await object.open();
      const content = await readWhole(reader, buffer);
      await reader.close();
      if (object.kind === 'rows') last = rowsOf(object, content);
      if (object.kind === 'rows-index') found.set(last!.path, { ...last!, index: decodeRowsIndex(content) });
    }
  } finally {
    await snapshot.close();
  }
  return found;
}

function rowsOf(object: SourceObject, content: Uint8Array): Omit<ReadRows, 'index'> {
  const description = decodeRowsDescription(object.attributes.rows as Uint8Array);
  const rows = [...fieldsOf(content, description.columns.length)].map((fields) =>
    fields.map((field) => field && Buffer.from(field).toString('utf8')),
  );
  return { path: displayPath(object.path), object, description, content, rows };
}

/** A snapshot's objects with their contents. */
export async function readObjects(options: MysqlSourceOptions): Promise<MemorySourceObject[]> {
  const snapshot = await mysqlSource(options).open();
  const all: MemorySourceObject[] = [];
  for await (const object of snapshot.objects()) {
    const reader = await object.open();
    const { path, kind, attributes } = object;
    all.push({ path, kind, attributes, content: await readWhole(reader, new Uint8Array(300_000)) });
    await reader.close();
  }
  await snapshot.close();
  return all;
}

/** Begins, and writes all objects, in small pieces. */
export async function feed(target: Sink, objects: readonly MemorySourceObject[]): Promise<void> {
  await target.begin({ attributes: {} });
  for (const { path, kind, attributes, content } of objects) {
    const size = content!.length;
    const header = { path: path as Uint8Array, kind: kind!, attributes: attributes!, size };
    const writer = await target.create(header);
    for (let at = 0; at < size; at += 7) await writer!.write(at, content!.slice(at, at + 7));
    await writer!.complete(size);
  }
}

/** The content of a table's first object. */
export async function readTable(snapshot: SourceSnapshot, table: string): Promise<Uint8Array> {
  for await (const object of snapshot.objects()) {
    if (object.kind !== 'rows') continue;
    if (decodeRowsDescription(object.attributes.rows as Uint8Array).table !== table) continue;
    const reader = await object.open();
    try {
      return await readWhole(reader, new Uint8Array(300_000));
    } finally {
      await reader.close();
    }
  }
  throw new Error(`no table ${table}`);
}
