import {
  type ContentReader,
  pathFromText,
  type SourceObject,
  type SourceProblem,
  type SourceSnapshot,
  throwIfAborted,
} from '@holdfast/contracts';
import { encodeRowsDescription, encodeRowsIndex } from '@holdfast/formats/rows';
import { indexPath, rowsPath } from '../../rows/object-paths.ts';
import { PendingIndex } from './pending-index.ts';
import type { RowPlan } from './row-plan.ts';
import { MysqlRowReader } from './row-reader.ts';
import type { SnapshotConnections } from './snapshot-connections.ts';

export interface SnapshotContent {
  readonly plans: readonly RowPlan[];
  /** Definitions of tables by name. */
  readonly creates: ReadonlyMap<string, string>;
  /** Small objects before and behind the rows, by path. */
  readonly schema: readonly (readonly [path: string, content: Uint8Array])[];
  readonly sequences: Uint8Array;
  readonly problems: readonly SourceProblem[];
  readonly rowKey: Uint8Array;
}

/** @param release called once: ends transactions, connections and locks. */
export function mysqlSnapshot(
  content: SnapshotContent,
  connections: SnapshotConnections,
  attributes: SourceSnapshot['attributes'],
  release: () => Promise<void>,
): SourceSnapshot {
  let closing: Promise<void> | null = null;
  const tables = new Map(content.plans.map(({ table }) => [table.name, table.bytes]));
  const bytes = [...tables.values()].reduce((sum, each) => sum + each, 0);
  return {
    attributes,
    estimate: { objects: content.schema.length + content.plans.length * 2 + 1, bytes },
    problems: content.problems,
    async *objects({ signal } = {}) {
      for (const object of objectsOf(content, connections)) {
        throwIfAborted(signal);
        yield object;
      }
    },
    async close() {
      closing ??= release();
      await closing;
    },
  };
}

function* objectsOf(content: SnapshotContent, connections: SnapshotConnections): Generator<SourceObject> {
  for (const [path, bytes] of content.schema) yield smallObject(path, 'schema', bytes);
  for (const plan of content.plans) yield* rowObjects(plan, content, connections);
  yield smallObject('4-sequences', 'sequences', content.sequences);
}

const smallObject = (path: string, kind: string, bytes: Uint8Array): SourceObject => ({
  path: pathFromText(path),
  kind,
  attributes: {},
  size: bytes.length,
  cut: { by: 'content' },
  fingerprint: null,
  open: async () => memoryReader(async () => bytes),
});

function* rowObjects(
  plan: RowPlan,
  { creates, rowKey }: SnapshotContent,
  connections: SnapshotConnections,
): Generator<SourceObject> {
  const { schema, table, family, window } = plan.description;
  const at = { schema, table, family, windowLabel: window?.label ?? null };
  const index = new PendingIndex(table);
  // The server has nothing that tells whether a table's rows have changed and cannot miss a change, so each is read.
  const common = { fingerprint: null, ...(plan.label ? { label: plan.label } : {}) };
  yield {
    ...common,
    path: rowsPath(at),
    kind: 'rows',
    attributes: { rows: encodeRowsDescription(plan.description) },
    size: plan.empty ? 0 : null,
    cut: { by: 'rows' },
    open: async () => {
      index.begun = true;
      return new MysqlRowReader(plan, creates.get(table)!, connections, rowKey, index);
    },
  };
  yield {
    ...common,
    path: indexPath(at),
    kind: 'rows-index',
    attributes: {},
    size: null,
    cut: { by: 'content' },
    open: async () => memoryReader(async (signal) => encodeRowsIndex(await index.wait(signal))),
  };
}

/** @param load called at the first read. */
function memoryReader(load: (signal?: AbortSignal) => Promise<Uint8Array>): ContentReader {
  let bytes: Uint8Array | null = null;
  let position = 0;
  return {
    async read(into, { signal } = {}) {
      throwIfAborted(signal);
      bytes ??= await load(signal);
      if (position === bytes.length) return { kind: 'end' };
      const part = bytes.subarray(position, position + into.length);
      into.set(part);
      position += part.length;
      return { kind: 'data', length: part.length };
    },
    async close() {},
  };
}
