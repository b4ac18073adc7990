import type { RowsDescription } from '@holdfast/formats/rows';
import type { CopyTarget } from './copy-lanes.ts';
import { quotedList } from './sql-names.ts';

/** `into`: the quoted name of the table that takes the rows. */
export function copyTarget({ schema, table, columns }: RowsDescription, into: string): CopyTarget {
  const binary = columns.every(({ encoding }) => encoding === 'binary');
  // A list of no columns is no SQL, and a table without any needs none.
  const list = columns.length === 0 ? '' : ` (${quotedList(columns.map(({ name }) => name))})`;
  return {
    name: `table ${schema}.${table}`,
    sql: `COPY ${into}${list} FROM STDIN (FORMAT ${binary ? 'binary' : 'text'})`,
    binary,
  };
}
