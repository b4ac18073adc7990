import { displayPath, isRowReader, type SourceObject, type SourceSnapshot } from '@holdfast/contracts';
import { readWhole } from '@holdfast/testing/copy-snapshot';
import type { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import type { PostgresSourceOptions } from '../../src/postgres/options.ts';

export interface ReadObject {
  readonly object: SourceObject;
  readonly content: Buffer;
}

/** Everything, by path, one object after the other. */
export async function readSnapshot(snapshot: SourceSnapshot): Promise<Map<string, ReadObject>> {
  const found = new Map<string, ReadObject>();
  const buffer = new Uint8Array(new SharedArrayBuffer(1024 * 1024));
  try {
    for await (const object of snapshot.objects()) {
      const reader = await object.open();
      found.set(displayPath(object.path), { object, content: Buffer.from(await readWhole(reader, buffer)) });
      await reader.close();
    }
  } finally {
    await snapshot.close();
  }
  return found;
}

/** Fields of tuples, as text; null is null. */
export function fieldsOf(content: Uint8Array): (string | null)[][] {
  return rawFieldsOf(content).map((row) => row.map((field) => field?.toString('utf8') ?? null));
}

export function rawFieldsOf(content: Uint8Array): (Buffer | null)[][] {
  const bytes = Buffer.from(content);
  const rows: (Buffer | null)[][] = [];
  for (let at = 0; at < bytes.length; ) {
    const count = bytes.readUInt16BE(at);
    at += 2;
    const row: (Buffer | null)[] = [];
    for (let i = 0; i < count; i++) {
      const length = bytes.readInt32BE(at);
      at += 4;
      row.push(length < 0 ? null : bytes.subarray(at, at + length));
      at += Math.max(0, length);
    }
    rows.push(row);
  }
  return rows;
}

/** A connection's options for the server's superuser. */
export async function optionsFor(server: PostgresServer, database: string): Promise<PostgresSourceOptions> {
  return {
    host: server.host,
    port: server.port,
    user: server.user,
    database,
    passwordFile: await passwordFile(server),
  };
}

const files = new WeakMap<PostgresServer, string>();

async function passwordFile(server: PostgresServer): Promise<string> {
  const { mkdtemp, writeFile } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const known = files.get(server);
  if (known) return known;
  const path = `${await mkdtemp(`${tmpdir()}/holdfast-password-`)}/password`;
  await writeFile(path, `${server.password}\n`, { mode: 0o600 });
  files.set(server, path);
  return path;
}

/** Rows of the object at `path` through `readRows`, checking what it says of them. */
export async function countRows(object: SourceObject): Promise<number> {
  const reader = await object.open();
  if (!isRowReader(reader)) throw new Error('Not a reader of rows.');
  const buffer = new Uint8Array(1024 * 1024);
  let rows = 0;
  for (;;) {
    const result = await reader.readRows(buffer);
    if (result.kind === 'end') break;
    if (result.kind === 'piece') rows += Number(result.last);
    else rows += result.count;
  }
  await reader.close();
  return rows;
}
