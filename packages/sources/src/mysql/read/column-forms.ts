import type { RowsColumn } from '@holdfast/formats/rows';
import { quotePath } from '../quoting.ts';
import type { ColumnFacts } from './catalog.ts';

/** Numbers of the protocol: https://mariadb.com/kb/en/result-set-packets/#field-types */
const TYPE_IDS: Readonly<Record<string, number>> = {
  tinyint: 1,
  smallint: 2,
  int: 3,
  float: 4,
  double: 5,
  timestamp: 7,
  bigint: 8,
  mediumint: 9,
  date: 10,
  time: 11,
  datetime: 12,
  year: 13,
  bit: 16,
  json: 245,
  decimal: 246,
  enum: 247,
  set: 248,
  tinyblob: 252,
  blob: 252,
  mediumblob: 252,
  longblob: 252,
  tinytext: 252,
  text: 252,
  mediumtext: 252,
  longtext: 252,
  varchar: 253,
  varbinary: 253,
  char: 254,
  binary: 254,
  inet4: 254,
  inet6: 254,
  uuid: 254,
};
const GEOMETRY = 255;

const SPATIAL = /^(geometry|point|linestring|polygon|multi(point|linestring|polygon)|geom(etry)?collection)$/;
const BYTES = /^((tiny|medium|long)?blob|(var)?binary|bit)$/;

/**
 * Charsets from which every character goes to Unicode and comes back as the same bytes: a test asks the server. Of the
 * others, as of those with several codes for one character, the column's own bytes are kept.
 */
export const LOSSLESS_CHARSETS: ReadonlySet<string> = new Set([
  ...['utf8mb4', 'utf8mb3', 'utf8', 'ascii', 'latin1', 'latin2', 'latin5', 'latin7', 'koi8r', 'koi8u'],
  ...['cp850', 'cp852', 'cp866', 'keybcs2', 'macce', 'macroman', 'utf16', 'utf16le', 'utf32'],
]);

const isOwnBytes = ({ charset, dataType }: ColumnFacts): boolean =>
  charset !== null && !LOSSLESS_CHARSETS.has(charset) && dataType !== 'enum' && dataType !== 'set';

const isBinary = (column: ColumnFacts): boolean =>
  BYTES.test(column.dataType) || SPATIAL.test(column.dataType) || isOwnBytes(column);

export const columnForm = (column: ColumnFacts): RowsColumn => ({
  name: column.name,
  type: column.type,
  typeId: SPATIAL.test(column.dataType) ? GEOMETRY : (TYPE_IDS[column.dataType] ?? 254),
  encoding: isBinary(column) ? 'binary' : 'text',
  notNull: column.notNull,
});

/** What to select so that the text protocol gives every bit of the column. */
export function selectExpression(table: string, column: ColumnFacts): string {
  const name = quotePath(table, column.name);
  // A FLOAT is written with six digits, a DOUBLE with as many as it needs. Multiplied, as adding 0 would make -0 a 0.
  if (column.dataType === 'float') return `${name} * 1e0`;
  return isOwnBytes(column) ? `CAST(${name} AS BINARY)` : name;
}
