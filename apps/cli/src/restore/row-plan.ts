import { HoldfastError, type Sink, type SnapshotRecord } from '@holdfast/contracts';
import type { Engine, Selection, SnapshotObject } from '@holdfast/engine';
import type { RowsDescription } from '@holdfast/formats/rows';
import {
  checkSelection,
  fieldsOf,
  isSelected,
  type KeyCondition,
  KeyRange,
  keptRowsSink,
  parseKeyConditions,
  type RowSelection,
} from '@holdfast/sources/rows';
import { type RowObject, rowIndexes, rowObjects, rowsPathOf } from './row-objects.ts';

export interface RowPlan {
  readonly objects: readonly RowObject[];
  /** What of a snapshot to fetch. Objects that hold no rows are wanted by databases only. */
  readonly select: (object: SnapshotObject) => Selection;
  /** The same sink, or one that lets through rows in the range only. */
  readonly narrow: (sink: Sink) => Sink;
}

export interface RowWishes {
  readonly selection: RowSelection;
  readonly where: string | undefined;
  /** Whether schema and sequences are wanted too. */
  readonly everythingElse: boolean;
}

/** Which rows are wanted, and where they lie. NOT_FOUND for names that the snapshot does not have, USAGE for conditions. */
export async function planRows(
  engine: Engine,
  snapshot: SnapshotRecord,
  { selection, where, everythingElse }: RowWishes,
  signal: AbortSignal,
): Promise<RowPlan> {
  const conditions = where === undefined ? [] : parseKeyConditions(where);
  const all = await rowObjects(engine, snapshot.id, signal);
  checkSelection(
    all.map(({ rows }) => rows),
    selection,
  );
  const objects = all.filter(({ rows }) => isSelected(rows, selection));
  if (objects.length === 0)
    throw new HoldfastError('NOT_FOUND', 'Nothing of the snapshot is in all that was asked for together.');
  const wanted = new Map<string, Selection>(objects.map(({ path }) => [path, true]));
  if (conditions.length > 0) {
    const indexes = await rowIndexes(engine, snapshot.id, objects, signal);
    for (const { path, rows, size } of objects) {
      const samples = indexes.get(path)?.samples ?? [];
      wanted.set(
        path,
        new KeyRange(conditions, rows).bytes(samples, size, (key) => keyFields(key, rows)),
      );
    }
  }
  return {
    objects,
    select: (object) => selected(object, wanted, everythingElse),
    narrow: (sink) =>
      conditions.length === 0 ? sink : keptRowsSink(sink, (rows) => rangeFor(rows, conditions, selection)),
  };
}

function selected(
  object: SnapshotObject,
  wanted: ReadonlyMap<string, Selection>,
  everythingElse: boolean,
): Selection {
  if (object.kind === 'rows') return wanted.get(rowsPathOf(object)) ?? false;
  if (object.kind === 'rows-index') return everythingElse && wanted.has(rowsPathOf(object));
  return everythingElse;
}

const rangeFor = (
  rows: RowsDescription,
  conditions: readonly KeyCondition[],
  selection: RowSelection,
): KeyRange | null => (isSelected(rows, selection) ? new KeyRange(conditions, rows) : null);

const keyFields = (key: Uint8Array, { keyColumns }: RowsDescription): readonly (Uint8Array | null)[] =>
  fieldsOf(key, keyColumns).next().value ?? [];
