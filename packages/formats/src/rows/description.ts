import { decodeCanonical, encodeCanonical } from '../cbor.ts';
import {
  checked,
  flag,
  listOf,
  oneOf,
  orNull,
  readFields,
  recordOf,
  refuse,
  textOf,
  uint,
} from '../fields.ts';

/** `postgres` binary: as its COPY sends it; text: as its output function writes it. MySQL's are as its text protocol's. */
export const FIELD_ENCODINGS = ['binary', 'text'] as const;
export type FieldEncoding = (typeof FIELD_ENCODINGS)[number];

export interface RowsColumn {
  readonly name: string;
  /** As the database writes it in a declaration: `numeric(10,2)`, `varchar(20)`. */
  readonly type: string;
  /** PostgreSQL: the type's oid where it is built in, of a domain its base type's; else 0. MySQL: the protocol's type number. */
  readonly typeId: number;
  readonly encoding: FieldEncoding;
  readonly notNull: boolean;
}

/** Rows `from` ≤ time column < `to`, in the database's own text; null is unbounded. */
export interface RowsWindow {
  /** `2026-11`, `2026-W48`, `2026-11-30`; `none` for rows without a time. Sorts as time does, but for `none`. */
  readonly label: string;
  readonly column: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** What the rows of one object are. All objects of one table have the same key columns, first and in the same order. */
export interface RowsDescription {
  readonly dialect: 'postgres' | 'mysql';
  readonly schema: string;
  readonly table: string;
  /** Null: of the columns that are in no family. */
  readonly family: string | null;
  readonly window: RowsWindow | null;
  readonly columns: readonly RowsColumn[];
  /** How many leading columns are the key that rows are ordered by. 0: no key; rows come in an order of their own. */
  readonly keyColumns: number;
}

const MAX_NAME = 1024;
const MAX_COLUMNS = 65_535;
const MAX_BYTES = 16 * 1024 * 1024;
const WHAT = 'A description of rows';

const name = textOf(MAX_NAME);

const columnFrom = recordOf<RowsColumn>({
  name,
  type: textOf(65_535),
  typeId: uint(2 ** 32 - 1),
  encoding: oneOf(...FIELD_ENCODINGS),
  notNull: flag,
});

const windowFrom = recordOf<RowsWindow>({
  label: name,
  column: name,
  from: orNull(name),
  to: orNull(name),
});

const descriptionFields = recordOf<RowsDescription>({
  dialect: oneOf('postgres', 'mysql'),
  schema: name,
  table: name,
  family: orNull(name),
  window: orNull(windowFrom),
  columns: listOf(columnFrom, MAX_COLUMNS),
  keyColumns: uint(MAX_COLUMNS),
});

const descriptionFrom: typeof descriptionFields = (value) => {
  const description = descriptionFields(value);
  return description.keyColumns <= description.columns.length
    ? description
    : refuse('has more key columns than columns');
};

/** For the attribute `rows` of an object of kind `rows`. INTERNAL or FORMAT_INVALID when it breaks the format. */
export function encodeRowsDescription(description: RowsDescription): Uint8Array {
  const { columns, window, ...facts } = description;
  const value = {
    ...facts,
    columns: columns.map((column) => ({ ...column })),
    window: window && { ...window },
  };
  return encodeCanonical(checked(value, WHAT, descriptionFrom));
}

/** FORMAT_INVALID. */
export function decodeRowsDescription(bytes: Uint8Array): RowsDescription {
  return readFields(decodeCanonical(bytes, { what: WHAT, maxBytes: MAX_BYTES }), WHAT, descriptionFrom);
}
