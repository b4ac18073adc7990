import { HoldfastError } from '@holdfast/contracts';
import type { RowsColumn, RowsDescription } from '@holdfast/formats/rows';
import { byteString } from './byte-string.ts';
import { BINARY_TYPES } from './postgres-binary/index.ts';

/** What a column's values are to a program that reads an export. */
export type ValueKind = 'text' | 'integer' | 'float' | 'decimal' | 'boolean' | 'json' | 'bytes';

export interface FieldReader {
  readonly column: RowsColumn;
  readonly kind: ValueKind;
  /** A field's text, one character for each byte. FORMAT_INVALID; TARGET_UNWRITABLE when it is too long to be text. */
  read(bytes: Uint8Array): string;
}

/** Twice as many characters, quoted once more, still are a string. */
const MAX_FIELD_BYTES = 96 * 1024 * 1024;

const POSTGRES_KINDS: Readonly<Record<number, ValueKind>> = {
  16: 'boolean',
  17: 'bytes',
  20: 'integer',
  21: 'integer',
  23: 'integer',
  26: 'integer',
  114: 'json',
  700: 'float',
  701: 'float',
  1700: 'decimal',
  3802: 'json',
};

/** By the protocol's type number. */
const MYSQL_KINDS: Readonly<Record<number, ValueKind>> = {
  0: 'decimal',
  1: 'integer',
  2: 'integer',
  3: 'integer',
  4: 'float',
  5: 'float',
  8: 'integer',
  9: 'integer',
  13: 'integer',
  245: 'json',
  246: 'decimal',
};

/** In the order of columns. FORMAT_INVALID for a binary type that nobody knows. */
export const fieldReaders = ({ dialect, columns }: RowsDescription): FieldReader[] =>
  columns.map((column) => (dialect === 'postgres' ? postgresReader(column) : mysqlReader(column)));

/** A field as text. FORMAT_INVALID for bytes that the column's type does not write. */
export function fieldText(
  dialect: RowsDescription['dialect'],
  column: RowsColumn,
  bytes: Uint8Array,
): string {
  const reader = dialect === 'postgres' ? postgresReader(column) : mysqlReader(column);
  return Buffer.from(reader.read(bytes), 'latin1').toString('utf8');
}

function postgresReader(column: RowsColumn): FieldReader {
  const kind = POSTGRES_KINDS[column.typeId] ?? 'text';
  return { column, kind, read: limited(column, column.encoding === 'text' ? byteString : decoderOf(column)) };
}

function decoderOf({ name, type, typeId }: RowsColumn): (bytes: Uint8Array) => string {
  const decode = BINARY_TYPES.get(typeId);
  if (decode) return decode;
  throw new HoldfastError(
    'FORMAT_INVALID',
    `The column ${name} holds ${type} in a binary form that is not known here.`,
  );
}

function mysqlReader(column: RowsColumn): FieldReader {
  // Bytes, spatial values, and text in charsets of which Unicode does not have every character.
  if (column.encoding === 'binary') return { column, kind: 'bytes', read: limited(column, hexText) };
  return { column, kind: MYSQL_KINDS[column.typeId] ?? 'text', read: limited(column, byteString) };
}

const hexText = (bytes: Uint8Array): string =>
  `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`;

const limited =
  ({ name }: RowsColumn, read: (bytes: Uint8Array) => string) =>
  (bytes: Uint8Array): string => {
    if (bytes.length <= MAX_FIELD_BYTES) return read(bytes);
    throw new HoldfastError(
      'TARGET_UNWRITABLE',
      `A field of ${bytes.length} bytes in the column ${name} is too long to be exported as text.`,
      { hint: 'Leave the table out, or restore it to a database.' },
    );
  };
