import { createHash } from 'node:crypto';
import {
  MAX_ROW_BYTES,
  type PartitionLabel,
  pathFromText,
  type ReadResult,
  type RowReader,
  type RowsResult,
  type Source,
  type SourceObject,
} from '@holdfast/contracts';

export interface MemoryRow {
  /** Rows of a table come in its order. */
  readonly key: string;
  /** All of the row, its key included. */
  readonly bytes: Uint8Array;
}

export interface MemoryTable {
  readonly path: string;
  readonly rows: readonly MemoryRow[];
  readonly label?: PartitionLabel;
  readonly fingerprint?: string;
}

/** A source of tables. `batch` limits how many rows one read gives. */
export function memoryRowSource(tables: readonly MemoryTable[], batch = 1000): Source {
  return {
    kind: 'rows',
    async test() {
      return { kind: 'rows', bytes: null, objects: tables.length, facts: {} };
    },
    async open({ rowKey = new Uint8Array(32) } = {}) {
      return {
        attributes: {},
        estimate: { objects: tables.length, bytes: null },
        problems: [],
        async *objects() {
          for (const table of tables) yield objectOf(table, rowKey, batch);
        },
        async close() {},
      };
    },
  };
}

const objectOf = (
  { path, rows, label, fingerprint }: MemoryTable,
  key: Uint8Array,
  batch: number,
): SourceObject => ({
  path: pathFromText(path),
  kind: 'rows',
  attributes: {},
  size: null,
  cut: { by: 'rows' },
  fingerprint: fingerprint ?? null,
  ...(label && { label }),
  open: async () => new MemoryRowReader(rows, key, batch),
});

class MemoryRowReader implements RowReader {
  readonly #rows: readonly MemoryRow[];
  readonly #key: Uint8Array;
  readonly #batch: number;
  #next = 0;
  /** Of a long row: how much was given. */
  #given = 0;

  constructor(rows: readonly MemoryRow[], key: Uint8Array, batch: number) {
    this.#rows = rows;
    this.#key = key;
    this.#batch = batch;
  }

  async readRows(into: Uint8Array): Promise<RowsResult> {
    await new Promise((resolve) => setImmediate(resolve));
    const row = this.#rows[this.#next];
    if (!row) return { kind: 'end' };
    return row.bytes.length > MAX_ROW_BYTES ? this.#piece(row.bytes, into) : this.#whole(into);
  }

  async read(into: Uint8Array): Promise<ReadResult> {
    const result = await this.readRows(into);
    return result.kind === 'end' ? result : { kind: 'data', length: result.length };
  }

  async close(): Promise<void> {}

  #piece(bytes: Uint8Array, into: Uint8Array): RowsResult {
    const length = Math.min(into.length, bytes.length - this.#given);
    into.set(bytes.subarray(this.#given, this.#given + length));
    this.#given += length;
    const last = this.#given === bytes.length;
    if (last) {
      this.#given = 0;
      this.#next++;
    }
    return { kind: 'piece', length, last };
  }

  #whole(into: Uint8Array): RowsResult {
    const lengths: number[] = [];
    const hashes: number[] = [];
    const keys: number[] = [];
    let length = 0;
    for (; lengths.length < this.#batch; this.#next++) {
      const row = this.#rows[this.#next];
      if (!row || row.bytes.length > MAX_ROW_BYTES || length + row.bytes.length > into.length) break;
      into.set(row.bytes, length);
      length += row.bytes.length;
      lengths.push(row.bytes.length);
      hashes.push(...this.#words(row.bytes, 4));
      keys.push(...this.#words(Buffer.from(row.key), 2));
    }
    return {
      kind: 'rows',
      length,
      count: lengths.length,
      lengths: Uint32Array.from(lengths),
      hashes: Uint32Array.from(hashes),
      keys: Uint32Array.from(keys),
    };
  }

  #words(bytes: Uint8Array, count: number): number[] {
    const digest = createHash('sha256').update(this.#key).update(bytes).digest();
    return Array.from({ length: count }, (_, i) => digest.readUInt32LE(4 * i));
  }
}
