import type { ContentWriter, ObjectHeader, Sink } from '@holdfast/contracts';
import { decodeRowsDescription, type RowsDescription } from '@holdfast/formats/rows';
import type { KeyRange } from './key-range.ts';
import { fieldsOf, TupleSplitter } from './tuple-splitter.ts';

/**
 * Passes on only those rows that are in a range of keys. What an index says of all rows is not passed on with some of them.
 *
 * @param rangeOf null for tables that are wanted whole.
 */
export function keptRowsSink(sink: Sink, rangeOf: (rows: RowsDescription) => KeyRange | null): Sink {
  const partial = new Set<string>();
  return {
    order: sink.order,
    begin: (snapshot, options) => sink.begin(snapshot, options),
    async create(object, options) {
      if (object.kind === 'rows-index' && partial.has(folderOf(object.path))) return IGNORED;
      const rows = object.kind === 'rows' ? descriptionOf(object) : null;
      const range = rows && rangeOf(rows);
      if (!rows || !range) return sink.create(object, options);
      partial.add(folderOf(object.path));
      const writer = await sink.create(object, options);
      return writer && new KeptRows(writer, rows.columns.length, range);
    },
    finish: (options) => sink.finish(options),
    abort: () => sink.abort(),
  };
}

const IGNORED: ContentWriter = { write: async () => {}, complete: async () => {} };

const folderOf = (path: Uint8Array): string => {
  const text = Buffer.from(path).toString('latin1');
  return text.slice(0, text.lastIndexOf('/'));
};

const descriptionOf = ({ attributes }: ObjectHeader): RowsDescription | null =>
  attributes.rows instanceof Uint8Array ? decodeRowsDescription(attributes.rows) : null;

const tupleLength = (fields: readonly (Uint8Array | null)[]): number =>
  fields.reduce((bytes, field) => bytes + 4 + (field?.length ?? 0), 2);

class KeptRows implements ContentWriter {
  readonly #writer: ContentWriter;
  readonly #splitter: TupleSplitter;
  readonly #fields: number;
  readonly #range: KeyRange;
  #written = 0;

  constructor(writer: ContentWriter, fields: number, range: KeyRange) {
    this.#writer = writer;
    this.#splitter = new TupleSplitter({ fields });
    this.#fields = fields;
    this.#range = range;
  }

  async write(_offset: number, bytes: Uint8Array): Promise<void> {
    for (const tuples of this.#splitter.push(bytes)) {
      const kept = this.#kept(tuples);
      for (const [from, to] of kept) {
        await this.#writer.write(this.#written, tuples.subarray(from, to));
        this.#written += to - from;
      }
    }
  }

  async complete(): Promise<void> {
    this.#splitter.end();
    await this.#writer.complete(this.#written);
  }

  /** Where runs of rows in the range begin and end. */
  #kept(tuples: Uint8Array): [number, number][] {
    const runs: [number, number][] = [];
    let at = 0;
    for (const fields of fieldsOf(tuples, this.#fields)) {
      const end = at + tupleLength(fields);
      const last = runs.at(-1);
      if (this.#range.keep(fields)) {
        if (last?.[1] === at) last[1] = end;
        else runs.push([at, end]);
      }
      at = end;
    }
    return runs;
  }
}
