import { PassThrough, type Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pathFromText } from '@holdfast/contracts';
import { encodeRowsDescription, type RowsDescription } from '@holdfast/formats/rows';
import { type ExportOptions, exportSink } from '../../src/export/export-sink.ts';

export interface RowsObject {
  readonly description: RowsDescription;
  readonly tuples: Uint8Array;
}

export const describing = (facts: Partial<RowsDescription>): RowsDescription => ({
  dialect: 'postgres',
  schema: 'public',
  table: 't',
  family: null,
  window: null,
  columns: [],
  keyColumns: 0,
  ...facts,
});

export const headerOf = ({ description, tuples }: RowsObject, name: string) => ({
  path: pathFromText(`2-rows/${description.schema}/${description.table}/${name}/all/rows`),
  kind: 'rows',
  attributes: { rows: encodeRowsDescription(description) },
  size: tuples.length,
});

/** All that an export of these objects writes. @param pieceBytes How content is cut. */
export async function exported(
  objects: readonly RowsObject[],
  options: Omit<ExportOptions, 'stream'>,
  pieceBytes = 1000,
): Promise<Buffer> {
  const stream = new PassThrough();
  const all = buffer(stream);
  await writeAll(stream, objects, options, pieceBytes);
  stream.end();
  return all;
}

export async function writeAll(
  stream: Writable,
  objects: readonly RowsObject[],
  options: Omit<ExportOptions, 'stream'>,
  pieceBytes: number,
): Promise<void> {
  const sink = exportSink({ ...options, stream });
  await sink.begin({ attributes: {} });
  for (const [i, object] of objects.entries()) {
    const writer = await sink.create(headerOf(object, `part-${i}`));
    for (let at = 0; at < object.tuples.length; at += pieceBytes) {
      await writer!.write(at, object.tuples.subarray(at, at + pieceBytes));
    }
    await writer!.complete(object.tuples.length);
  }
  await sink.finish();
}
