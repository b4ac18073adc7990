import type { RowsColumn } from '@holdfast/formats/rows';
import { quoteName } from '../quoting.ts';
import type { ColumnFacts } from '../read/catalog.ts';

/** Charsets whose columns take UTF-8 as it is. */
const TAKES_UTF8 = new Set(['utf8mb4', 'utf8mb3', 'utf8', 'ascii']);

/** Types without a charset that take bytes for their own inner form, and text for text. */
const READS_TEXT = new Set(['json', 'uuid', 'inet4', 'inet6']);

/** How one column's bytes get into the table. */
export interface LoadColumn {
  readonly name: string;
  /** The charset that the bytes are in where the server must be told; null where they go in as they are. */
  readonly charset: string | null;
}

/** @param target the column as it is in the table that is loaded. */
export function loadColumn(column: RowsColumn, target: ColumnFacts): LoadColumn {
  const charset = READS_TEXT.has(target.dataType)
    ? 'utf8mb4'
    : target.charset === null || (column.encoding === 'text' && TAKES_UTF8.has(target.charset))
      ? null
      : column.encoding === 'binary'
        ? target.charset
        : 'utf8mb4';
  return { name: column.name, charset };
}

/** The server's own reading of a file that is sent over the connection; `binary` keeps it from converting anything. */
export function loadStatement(table: string, columns: readonly LoadColumn[]): string {
  const fields = columns.map(({ name, charset }, i) => (charset === null ? quoteName(name) : `@f${i}`));
  const set = columns.flatMap(({ name, charset }, i) =>
    charset === null ? [] : [`${quoteName(name)} = CONVERT(@f${i} USING ${charset})`],
  );
  return `LOAD DATA LOCAL INFILE 'holdfast' INTO TABLE ${table} CHARACTER SET binary
    FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' (${fields.join(', ')})${
      set.length > 0 ? ` SET ${set.join(', ')}` : ''
    }`;
}

export const insertStart = (table: string, columns: readonly LoadColumn[]): string =>
  `INSERT INTO ${table} (${columns.map(({ name }) => quoteName(name)).join(', ')}) VALUES `;

/** Only hex digits come from the row, so that nothing in it can end the literal. */
export const literal = ({ charset }: LoadColumn, field: Uint8Array | null): string => {
  if (field === null) return 'NULL';
  const hex = Buffer.from(field.buffer, field.byteOffset, field.length).toString('hex');
  return charset === null ? `x'${hex}'` : `CONVERT(x'${hex}' USING ${charset})`;
};
