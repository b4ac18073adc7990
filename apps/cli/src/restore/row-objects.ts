import { type ContentWriter, displayPath, type Sink, type SnapshotId } from '@holdfast/contracts';
import type { Engine, SnapshotObject } from '@holdfast/engine';
import {
  decodeRowsDescription,
  decodeRowsIndex,
  type RowsDescription,
  type RowsIndex,
} from '@holdfast/formats/rows';

/** Some rows of a table, as one object of a snapshot. */
export interface RowObject {
  readonly path: string;
  readonly rows: RowsDescription;
  readonly size: number;
}

/** What rows a snapshot of a database has. */
export async function rowObjects(
  engine: Engine,
  snapshot: SnapshotId,
  signal: AbortSignal,
): Promise<RowObject[]> {
  const found: RowObject[] = [];
  for await (const { path, kind, attributes, size } of engine.objects(snapshot, { signal })) {
    if (kind !== 'rows' || !(attributes.rows instanceof Uint8Array)) continue;
    found.push({ path: displayPath(path), rows: decodeRowsDescription(attributes.rows), size });
  }
  return found;
}

/** By the path of the rows. Nothing else of the snapshot is fetched. */
export async function rowIndexes(
  engine: Engine,
  snapshot: SnapshotId,
  objects: readonly RowObject[],
  signal: AbortSignal,
): Promise<Map<string, RowsIndex>> {
  const wanted = new Map(objects.map(({ path }) => [indexOf(path), path]));
  const indexes = new Map<string, RowsIndex>();
  await engine.restore({
    snapshot,
    signal,
    sink: wholeObjects((path, content) => indexes.set(wanted.get(path)!, decodeRowsIndex(content))),
    select: (object) => wanted.has(displayPath(object.path)),
  });
  return indexes;
}

/** Of an index, the path of its rows; of rows the same. */
export const rowsPathOf = ({ path }: Pick<SnapshotObject, 'path'>): string =>
  displayPath(path).replace(/\/rows-index$/, '/rows');

const indexOf = (path: string): string => `${path}-index`;

/** For small objects: each in memory, and gone when it was handed over. */
function wholeObjects(take: (path: string, content: Buffer) => void): Sink {
  return {
    order: 'ascending',
    async begin() {},
    async create({ path }): Promise<ContentWriter> {
      const pieces: Buffer[] = [];
      return {
        write: async (_offset, bytes) => void pieces.push(Buffer.from(bytes)),
        complete: async () => take(displayPath(path), Buffer.concat(pieces)),
      };
    },
    async finish() {},
    async abort() {},
  };
}
