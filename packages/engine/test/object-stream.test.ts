import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathFromText } from '@holdfast/contracts';
import { type Extent, encodeOnce, type MetadataRecord, metadataReader } from '@holdfast/formats';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ObjectStream } from '../src/manifest/object-stream.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-stream-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const extent = (i: number): Extent => ({
  kind: 'data',
  partition: 1 + (i % 7),
  frame: i,
  offset: i * 64,
  length: 10,
});

const object = (name: string, extents: number) => ({
  path: pathFromText(name),
  kind: 'file',
  attributes: { mode: 0o644 },
  size: extents * 10,
  cut: { by: 'content' as const },
});

async function collect(stream: ObjectStream): Promise<MetadataRecord[]> {
  const reader = metadataReader();
  const records: MetadataRecord[] = [];
  for await (const bytes of stream.read()) records.push(...reader.push(bytes));
  reader.end();
  return records;
}

it('gives objects and their extents in order, wherever the extents came in pieces', async () => {
  const stream = await ObjectStream.create(join(directory, 'objects'));
  const sizes = [3, 0, 9000, 1];
  for (const [i, size] of sizes.entries()) {
    await stream.object(encodeOnce(object(`file-${i}`, size)));
    for (let at = 0; at < size; at += 1000)
      await stream.extents(Array.from({ length: Math.min(1000, size - at) }, (_, j) => extent(at + j)));
  }
  const found: { name: string; extents: Extent[] }[] = [];
  for (const record of await collect(stream)) {
    if (record.type === 'object')
      found.push({ name: Buffer.from(record.object.path).toString(), extents: [] });
    else found.at(-1)!.extents.push(...record.extents);
  }
  expect(found.map(({ name, extents }) => [name, extents.length])).toEqual(
    sizes.map((size, i) => [`file-${i}`, size]),
  );
  expect(found[2]!.extents).toEqual(Array.from({ length: 9000 }, (_, i) => extent(i)));
  await stream.close();
  expect(await readdir(directory)).toEqual([]);
});

it('says so when the disk gives back something else', async () => {
  const path = join(directory, 'objects');
  const stream = await ObjectStream.create(path);
  await stream.object(encodeOnce(object('file', 0)));
  const reading = stream.read();
  await reading.next();
  await reading.return(undefined);
  await writeFile(path, 'other bytes');
  const readAgain = async () => {
    for await (const _ of stream.read());
  };
  await expect(readAgain()).rejects.toThrow(expect.objectContaining({ code: 'HASH_MISMATCH' }));
  await stream.close();
});
