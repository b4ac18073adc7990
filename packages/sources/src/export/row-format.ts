import type { RowsDescription } from '@holdfast/formats/rows';
import type { FieldReader } from './field-text.ts';

export interface TableToWrite {
  readonly description: RowsDescription;
  readonly readers: readonly FieldReader[];
}

/** How rows look in an export. All of it is strings of one character for each byte. */
export interface RowFormat {
  /** Before everything else; tables of one export are of one dialect. */
  start(dialect: RowsDescription['dialect']): string;
  /** Before a table's first row, or instead of rows. */
  begin(table: TableToWrite): string;
  /** @param values Texts of the fields, null for null. */
  row(values: readonly (string | null)[]): string;
  /** Behind a table's last row. */
  end(): string;
}
