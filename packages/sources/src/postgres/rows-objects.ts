import {
  HoldfastError,
  MAX_ROW_BYTES,
  type ObjectPath,
  type PartitionLabel,
  type SourceObject,
} from '@holdfast/contracts';
import {
  encodeRowsDescription,
  encodeRowsIndex,
  type RowsDescription,
  type RowsIndex,
} from '@holdfast/formats/rows';
import { TupleIntake, type TupleIntakeOptions } from '../rows/tuple-intake.ts';
import { ByteReader } from './byte-reader.ts';
import type { Fetch, ReaderPool } from './reader-pool.ts';
import { PostgresRowsReader } from './rows-reader.ts';

/** One object of rows, with the index behind it. */
export interface RowsObject {
  readonly rowsPath: ObjectPath;
  readonly indexPath: ObjectPath;
  readonly description: RowsDescription;
  /** COPYs that give its rows, one after the other; none: there are no rows. */
  readonly fetches: readonly Fetch[];
  readonly fingerprint: string | null;
  readonly label: PartitionLabel | null;
}

export interface RowsContext {
  readonly pool: ReaderPool;
  readonly rowKey: Uint8Array;
}

/** The two source objects. The index is what reading the rows has told, or else the rows are read for it. */
export function sourceObjectsOf(object: RowsObject, context: RowsContext): [SourceObject, SourceObject] {
  const reading = new RowsReading(object, context);
  const isEmpty = object.fetches.length === 0;
  const index = isEmpty ? encodeRowsIndex(reading.emptyIndex()) : null;
  const { fingerprint } = object;
  const label = object.label ? { label: object.label } : {};
  return [
    {
      path: object.rowsPath,
      kind: 'rows',
      attributes: { rows: encodeRowsDescription(object.description) },
      size: isEmpty ? 0 : null,
      cut: { by: 'rows' },
      fingerprint,
      ...label,
      open: async () => reading.open(),
    },
    {
      path: object.indexPath,
      kind: 'rows-index',
      attributes: {},
      size: index?.length ?? null,
      cut: { by: 'content' },
      fingerprint,
      ...label,
      open: async () => new ByteReader(async () => index ?? encodeRowsIndex(await reading.index())),
    },
  ];
}

class RowsReading {
  readonly #object: RowsObject;
  readonly #context: RowsContext;
  readonly #intake: TupleIntakeOptions;
  #reader: PostgresRowsReader | null = null;
  readonly #index = Promise.withResolvers<RowsIndex | null>();

  constructor(object: RowsObject, context: RowsContext) {
    this.#object = object;
    this.#context = context;
    const { columns, keyColumns } = object.description;
    this.#intake = {
      format: columns[0]?.encoding === 'text' ? 'copy-text' : 'copy-binary',
      fields: columns.length,
      keyFields: keyColumns,
      rowKey: context.rowKey,
    };
  }

  open(): PostgresRowsReader {
    if (this.#reader) throw new HoldfastError('INTERNAL', 'Rows are read once per snapshot.');
    this.#reader = this.#newReader(
      (index) => this.#index.resolve(index),
      () => this.#index.resolve(null),
    );
    return this.#reader;
  }

  emptyIndex(): RowsIndex {
    return new TupleIntake(this.#intake).index();
  }

  /** Waits for whoever reads the rows; reads them itself when nobody does, or not to their end. */
  async index(): Promise<RowsIndex> {
    const told = this.#reader ? await this.#index.promise : null;
    return told ?? this.#readForIndex();
  }

  async #readForIndex(): Promise<RowsIndex> {
    const { promise, resolve } = Promise.withResolvers<RowsIndex>();
    const reader = this.#newReader(resolve, () => {});
    const buffer = new Uint8Array(4 * MAX_ROW_BYTES);
    try {
      while ((await reader.readRows(buffer)).kind !== 'end');
      return await promise;
    } finally {
      await reader.close();
    }
  }

  #newReader(onEnd: (index: RowsIndex) => void, onClose: () => void): PostgresRowsReader {
    // A copy of each: a COPY is made once.
    const isAgain = this.#reader !== null;
    const fetches = isAgain ? this.#object.fetches.map((fetch) => ({ ...fetch })) : this.#object.fetches;
    this.#context.pool.expectFirst(fetches);
    return new PostgresRowsReader(this.#context.pool, fetches, this.#intake, { onEnd, onClose });
  }
}
