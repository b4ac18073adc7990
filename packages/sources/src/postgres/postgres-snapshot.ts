import {
  type Attributes,
  type ContentReader,
  comparePaths,
  type ObjectPath,
  pathFromText,
  type SourceObject,
  type SourceSnapshot,
  throwIfAborted,
} from '@holdfast/contracts';
import { rowsPath } from '../rows/object-paths.ts';
import { ByteReader } from './byte-reader.ts';
import type { PgDump } from './find-pg-dump.ts';
import { tableFingerprints } from './fingerprints.ts';
import type { HeldSnapshot } from './held-snapshot.ts';
import { largeObjects } from './large-objects.ts';
import { planTable } from './plan-table.ts';
import { readSequences } from './read-facts.ts';
import type { ReaderPool } from './reader-pool.ts';
import { type RowsObject, sourceObjectsOf } from './rows-objects.ts';
import { encodeFacts, encodeSequences, type NamedObject, type SchemaFacts } from './schema-facts.ts';
import type { ServerFacts } from './server-facts.ts';
import type { TableLayout } from './table-layout.ts';

/** How many tables are planned ahead of the one that is being read. */
const PLANNED_AHEAD = 4;

export interface SnapshotParts {
  readonly held: HeldSnapshot;
  readonly pool: ReaderPool;
  readonly server: ServerFacts;
  readonly facts: SchemaFacts;
  readonly archive: Uint8Array;
  readonly pgDump: PgDump;
  readonly layouts: readonly TableLayout[];
  readonly sequences: readonly NamedObject[];
  readonly rowKey: Uint8Array;
  /** Null: objects get no fingerprints. */
  readonly fingerprint: string | null;
}

/** A database as of one moment. */
export class PostgresSnapshot implements SourceSnapshot {
  readonly attributes: Attributes;
  readonly estimate: { readonly objects: null; readonly bytes: number };
  readonly problems = [];
  readonly #parts: SnapshotParts;

  constructor(parts: SnapshotParts) {
    this.#parts = parts;
    const { server } = parts;
    this.attributes = {
      serverVersion: server.version,
      encoding: server.encoding,
      collation: server.collation,
    };
    this.estimate = { objects: null, bytes: server.bytes };
  }

  async *objects({ signal }: { signal?: AbortSignal } = {}): AsyncIterable<SourceObject> {
    throwIfAborted(signal);
    const { archive, pgDump, facts } = this.#parts;
    yield contentObject('1-schema/archive', 'schema', async () => archive, archive.length, {
      pgDump: pgDump.version,
    });
    throwIfAborted(signal);
    const factBytes = encodeFacts(facts);
    yield contentObject('1-schema/facts', 'schema', async () => factBytes, factBytes.length);
    for await (const object of this.#rowsObjects()) {
      for (const each of sourceObjectsOf(object, this.#parts)) {
        throwIfAborted(signal);
        yield each;
      }
      // Listed further without having been opened: whoever reads skips it.
      this.#parts.pool.forget(object.fetches);
    }
    throwIfAborted(signal);
    const sequences = encodeSequences(await readSequences(this.#parts.held.leader, this.#parts.sequences));
    yield contentObject('4-sequences', 'sequences', async () => sequences, sequences.length);
  }

  async close(): Promise<void> {
    await this.#parts.pool.close();
    await this.#parts.held.leader.end();
  }

  /** Plans ahead of what is listed, so that connections that are free can begin with it. */
  async *#rowsObjects(): AsyncGenerator<RowsObject> {
    const { layouts, pool, facts } = this.#parts;
    const ordered = layouts.toSorted((a, b) => comparePaths(placeOf(a), placeOf(b)));
    const table = await this.#tableFingerprints();
    // A leader that reads rows cannot be asked about further tables until they have been read.
    const depth = pool.isLeaderAlone ? ordered.length : PLANNED_AHEAD;
    const planned: Promise<RowsObject[]>[] = [];
    for (let next = 0, done = 0; done < ordered.length; done++) {
      for (; next < Math.min(ordered.length, done + depth); next++)
        planned.push(this.#plan(ordered[next]!, table));
      if (pool.isLeaderAlone && done === 0) await Promise.all(planned);
      yield* await planned[done]!;
    }
    const large = largeObjects(facts.largeObjects);
    if (!large) return;
    pool.expect(large.fetches);
    yield large;
  }

  #plan(layout: TableLayout, tables: ReadonlyMap<string, string>): Promise<RowsObject[]> {
    const { held, fingerprint, pool, server } = this.#parts;
    const table = tables.get(layout.table.oid);
    const parts = fingerprint === null || table === undefined ? null : { snapshot: fingerprint, table };
    const planning = planTable(held.leader, layout, { version: server.version, fingerprint: parts }).then(
      (objects) => {
        // Those with a fingerprint are perhaps not read at all.
        for (const object of objects) if (object.fingerprint === null) pool.expect(object.fetches);
        return objects;
      },
    );
    // It may fail before anybody waits for it.
    planning.catch(() => {});
    return planning;
  }

  async #tableFingerprints(): Promise<ReadonlyMap<string, string>> {
    const { fingerprint, held, server, layouts } = this.#parts;
    if (fingerprint === null) return new Map();
    return tableFingerprints(
      held.leader,
      server,
      layouts.map((layout) => layout.table),
    );
  }
}

const placeOf = ({ table }: TableLayout): ObjectPath =>
  rowsPath({ schema: table.schema, table: table.name, family: null, windowLabel: null });

const contentObject = (
  path: string,
  kind: string,
  make: () => Promise<Uint8Array>,
  size: number,
  attributes: Attributes = {},
): SourceObject => ({
  path: pathFromText(path),
  kind,
  attributes,
  size,
  cut: { by: 'content' },
  fingerprint: null,
  open: async (): Promise<ContentReader> => new ByteReader(make),
});
