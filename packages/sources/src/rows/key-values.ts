import type { RowsColumn } from '@holdfast/formats/rows';

/** How values of a key column are read, and which of two comes first in the order of rows. */
export interface KeyValues {
  /** What somebody wrote. Null when it is no such value. */
  parse(text: string): KeyValue | null;
  /** A row's field. */
  decode(field: Uint8Array): KeyValue;
  /** Whether rows stand in the order of these values. Text is ordered by the database's collation, which we do not have. */
  readonly ordered: boolean;
}

export type KeyValue = bigint | string;

/** Days and microseconds between 1970 and 2000, PostgreSQL's beginning of time. */
const EPOCH_DAYS = 10_957n;
const DAY_US = 86_400_000_000n;

/** PostgreSQL's type numbers. */
const INTEGERS = new Map([
  [21, 2],
  [23, 4],
  [20, 8],
]);
const OID = 26;
const UUID = 2950;
const DATE = 1082;
const TIMESTAMPS = [1114, 1184];
const TEXTS = [25, 1043, 1042, 19];

/** By the protocol: TINY, SHORT, LONG, LONGLONG, INT24, YEAR. */
const MYSQL_INTEGERS = [1, 2, 3, 8, 9, 13];
/** TIMESTAMP, DATE, DATETIME: their text sorts as time does. */
const MYSQL_TIMES = [7, 10, 12];
/** VARCHAR, VAR_STRING, STRING. */
const MYSQL_TEXTS = [15, 253, 254];

/** Null for types whose values cannot be compared here. */
export function keyValues(column: RowsColumn, dialect: 'postgres' | 'mysql'): KeyValues | null {
  return dialect === 'mysql' ? mysqlValues(column) : postgresValues(column);
}

function postgresValues({ typeId, encoding }: RowsColumn): KeyValues | null {
  const binary = encoding === 'binary';
  if (INTEGERS.has(typeId) || typeId === OID) {
    const decode = typeId === OID ? unsigned : signed;
    return { parse: integer, decode: binary ? decode : integerText, ordered: true };
  }
  if (typeId === UUID) return { parse: uuid, decode: binary ? hex : uuidText, ordered: true };
  if (typeId === DATE) {
    const decode = binary ? (field: Uint8Array) => (signed(field) + EPOCH_DAYS) * DAY_US : momentText;
    return { parse: moment, decode, ordered: true };
  }
  if (TIMESTAMPS.includes(typeId)) {
    const decode = binary ? (field: Uint8Array) => signed(field) + EPOCH_DAYS * DAY_US : momentText;
    return { parse: moment, decode, ordered: true };
  }
  return TEXTS.includes(typeId) ? { parse: (text) => text, decode: plain, ordered: false } : null;
}

function mysqlValues({ typeId }: RowsColumn): KeyValues | null {
  if (MYSQL_INTEGERS.includes(typeId)) return { parse: integer, decode: integerText, ordered: true };
  if (MYSQL_TIMES.includes(typeId)) return { parse: moment, decode: momentText, ordered: true };
  return MYSQL_TEXTS.includes(typeId) ? { parse: (text) => text, decode: plain, ordered: false } : null;
}

const bufferOf = (field: Uint8Array): Buffer => Buffer.from(field.buffer, field.byteOffset, field.byteLength);
const plain = (field: Uint8Array): string => bufferOf(field).toString('utf8');
const hex = (field: Uint8Array): string => bufferOf(field).toString('hex');
const unsigned = (field: Uint8Array): bigint => (field.length === 0 ? 0n : BigInt(`0x${hex(field)}`));
const signed = (field: Uint8Array): bigint => BigInt.asIntN(8 * field.length, unsigned(field));

const integer = (text: string): bigint | null =>
  /^\s*[-+]?\d+\s*$/.test(text) ? BigInt(text.trim().replace('+', '')) : null;
const integerText = (field: Uint8Array): bigint => integer(plain(field)) ?? 0n;

function uuid(text: string): string | null {
  const digits = text.trim().toLowerCase().replace(/[-{}]/g, '');
  return /^[0-9a-f]{32}$/.test(digits) ? digits : null;
}
const uuidText = (field: Uint8Array): string => uuid(plain(field)) ?? '';

const MOMENT =
  /^\s*(\d{4,6})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?\s*(Z|[-+]\d\d(?::?\d\d)?)?\s*$/;
/** Beyond every moment that a database can hold. */
const FOREVER = 2n ** 63n;

/** Microseconds since 1970; UTC unless it says otherwise. */
function moment(text: string): bigint | null {
  const word = text.trim().toLowerCase();
  if (word === 'infinity') return FOREVER;
  if (word === '-infinity') return -FOREVER;
  const parts = MOMENT.exec(text);
  if (!parts) return null;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = parts;
  const utc = Date.UTC(2000, Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const date = new Date(utc);
  date.setUTCFullYear(date.getUTCFullYear() - 2000 + Number(year));
  if (Number(month) > 12 || Number(day) > 31 || Number.isNaN(date.getTime())) return null;
  return BigInt(date.getTime() - zoneMs(zone)) * 1000n + BigInt(fraction.padEnd(6, '0'));
}

function zoneMs(zone: string): number {
  if (zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', '') || 0);
  return (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
const momentText = (field: Uint8Array): bigint => moment(plain(field)) ?? 0n;
