import type { Sink } from '@holdfast/contracts';
import { exportFileSink, exportSink } from '@holdfast/sources/export';
import { exportFormat, type RestoreOptions } from './restore-options.ts';
import type { RowObject } from './row-objects.ts';

/** Rows as text, to a file or to standard output. */
export function exportTarget(objects: readonly RowObject[], options: RestoreOptions): Sink {
  const format = exportFormat(options);
  const tables = new Set(objects.map(({ rows }) => `${rows.schema}.${rows.table}`));
  // In CSV nothing would tell the tables apart; the sink refuses it, and says what to do.
  const severalTables = tables.size > 1 && format === 'ndjson';
  return options.to === '-'
    ? exportSink({ format, severalTables, stream: process.stdout })
    : exportFileSink({ format, severalTables, path: options.to, overwrite: options.overwrite === true });
}
