import type { Writable } from 'node:stream';
import {
  type ContentWriter,
  HoldfastError,
  isSafePath,
  type ObjectHeader,
  type Sink,
  throwIfAborted,
} from '@holdfast/contracts';
import { decodeRowsDescription, type RowsDescription } from '@holdfast/formats/rows';
import { invalid } from '../file/attributes.ts';
import { fieldsOf, TupleSplitter } from '../rows/tuple-splitter.ts';
import { StreamOutput } from '../stream/stream-output.ts';
import { csvFormat } from './csv-format.ts';
import { type FieldReader, fieldReaders } from './field-text.ts';
import { ndjsonFormat } from './ndjson-format.ts';
import type { RowFormat } from './row-format.ts';
import { sqlFormat } from './sql-format.ts';
import { TablesSeen } from './tables-seen.ts';

export const EXPORT_FORMATS = ['csv', 'ndjson', 'sql'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Whether a row is wanted. Fields are as they are encoded, null for null, and views that are good during the call. */
export type RowFilter = (fields: readonly (Uint8Array | null)[], description: RowsDescription) => boolean;

export interface ExportOptions {
  readonly format: ExportFormat;
  /** Belongs to the caller, and is not ended. */
  readonly stream: Writable;
  readonly keep?: RowFilter;
  /** Whether rows of several tables may follow each other in CSV and NDJSON; SQL says of which table they are anyway. Default false. */
  readonly severalTables?: boolean;
}

const FORMATS: Readonly<Record<ExportFormat, (options: ExportOptions) => RowFormat>> = {
  csv: csvFormat,
  ndjson: ({ severalTables = false }) => ndjsonFormat({ named: severalTables }),
  sql: sqlFormat,
};

const FLUSH_CHARACTERS = 64 * 1024;
const ZEROS = new Uint8Array(64 * 1024);

/**
 * Writes the rows of tables as text, in the order in which they come; other objects are passed over. Rows leave with the
 * bytes that they came in, the first as soon as it is whole. What was written cannot be taken back: after a failure the reader has
 * a part, and only the exit code says so. USAGE for several tables, or several families of one, where they would not be told
 * apart. Memory: one row, and 64 KiB.
 */
export function exportSink(options: ExportOptions): Sink {
  const output = new StreamOutput(options.stream);
  const format = FORMATS[options.format](options);
  const seen = new TablesSeen(options.format, options.severalTables ?? false);
  return {
    order: 'ascending',
    async begin(_snapshot, { signal } = {}) {
      throwIfAborted(signal);
    },
    async create(object, { signal } = {}) {
      throwIfAborted(signal);
      if (!isSafePath(object.path)) throw invalid(object, 'an unsafe path');
      if (object.size === null) return null;
      const description = object.kind === 'rows' ? descriptionOf(object) : null;
      if (description === null || isLargeObjects(description)) return PASSED_OVER;
      const readers = fieldReaders(description);
      const { first, another } = seen.next(description);
      let head = first ? format.start(description.dialect) : '';
      if (another) head += format.end() + format.begin({ description, readers });
      if (head !== '') await output.write(Buffer.from(head, 'latin1'));
      return new RowsExport({ output, format, description, readers, keep: options.keep ?? null });
    },
    async finish({ signal } = {}) {
      throwIfAborted(signal);
      if (seen.none) {
        throw new HoldfastError('NOT_FOUND', 'There are no tables among what was to be exported.');
      }
      await output.write(Buffer.from(format.end(), 'latin1'));
    },
    async abort() {
      output.release();
    },
  };
}

function descriptionOf(object: ObjectHeader): RowsDescription {
  const encoded = object.attributes.rows;
  if (encoded instanceof Uint8Array) return decodeRowsDescription(encoded);
  throw invalid(object, 'no description of its rows');
}

/** Pages of PostgreSQL's large objects, which mean nothing outside of it. */
const isLargeObjects = ({ dialect, schema, table }: RowsDescription): boolean =>
  dialect === 'postgres' && schema === 'pg_catalog' && table === 'pg_largeobject';

const PASSED_OVER: ContentWriter = {
  async write() {},
  async complete() {},
};

interface RowsExportParts {
  readonly output: StreamOutput;
  readonly format: RowFormat;
  readonly description: RowsDescription;
  readonly readers: readonly FieldReader[];
  readonly keep: RowFilter | null;
}

class RowsExport implements ContentWriter {
  readonly #parts: RowsExportParts;
  readonly #splitter: TupleSplitter;
  #position = 0;

  constructor(parts: RowsExportParts) {
    this.#parts = parts;
    this.#splitter = new TupleSplitter({ fields: parts.readers.length });
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    await this.#skipTo(offset);
    await this.#take(bytes);
  }

  async complete(size: number): Promise<void> {
    await this.#skipTo(size);
    this.#splitter.end();
  }

  async #take(bytes: Uint8Array): Promise<void> {
    this.#position += bytes.length;
    const { output, format, description, readers, keep } = this.#parts;
    let text = '';
    for (const tuples of this.#splitter.push(bytes)) {
      for (const fields of fieldsOf(tuples, readers.length)) {
        if (keep && !keep(fields, description)) continue;
        text += format.row(fields.map((field, i) => field && readers[i]!.read(field)));
        if (text.length < FLUSH_CHARACTERS) continue;
        await output.write(Buffer.from(text, 'latin1'));
        text = '';
      }
    }
    if (text !== '') await output.write(Buffer.from(text, 'latin1'));
  }

  async #skipTo(offset: number): Promise<void> {
    if (offset < this.#position)
      throw new HoldfastError('INTERNAL', 'Rows to be exported came out of order.');
    while (this.#position < offset) await this.#take(ZEROS.subarray(0, offset - this.#position));
  }
}
