import type { RowsDescription } from '@holdfast/formats/rows';
import { utf8ByteString } from './byte-string.ts';
import type { ValueKind } from './field-text.ts';
import type { RowFormat, TableToWrite } from './row-format.ts';

/** A statement is closed when it has so many rows or characters. */
const STATEMENT_ROWS = 500;
const STATEMENT_CHARACTERS = 256 * 1024;

const HEADS = {
  postgres: "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n",
  // Without it a zero in a column that counts by itself would become the next number.
  mysql: "SET NAMES utf8mb4;\nSET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';\nSET time_zone = '+00:00';\n",
} as const;

/** INSERT statements of many rows each, for a server of the same kind as the rows came from. */
export function sqlFormat(): RowFormat {
  let head = '';
  let kinds: ValueKind[] = [];
  let literal: (value: string, kind: ValueKind) => string = postgresLiteral;
  let rows = 0;
  let characters = 0;
  const close = (): string => {
    const open = rows > 0;
    rows = 0;
    characters = 0;
    return open ? ';\n' : '';
  };
  return {
    start: (dialect) => HEADS[dialect],
    begin(table) {
      head = insertHead(table);
      kinds = table.readers.map(({ kind }) => kind);
      literal = table.description.dialect === 'postgres' ? postgresLiteral : mysqlLiteral;
      return '';
    },
    row(values) {
      const full = rows >= STATEMENT_ROWS || characters >= STATEMENT_CHARACTERS ? close() : '';
      const literals = values.map((value, i) => (value === null ? 'NULL' : literal(value, kinds[i]!)));
      const text = `${rows > 0 ? ',\n' : head}(${literals.join(', ')})`;
      rows++;
      characters += text.length;
      return full + text;
    },
    end: close,
  };
}

function insertHead({ description }: TableToWrite): string {
  const { dialect, schema, table, columns } = description;
  const quoted = QUOTED[dialect];
  const names = columns.map(({ name }) => quoted(name)).join(', ');
  // PostgreSQL lets nobody else give values to columns that are always generated as identity.
  const head =
    dialect === 'postgres'
      ? `INSERT INTO ${quoted(schema)}.${quoted(table)} (${names}) OVERRIDING SYSTEM VALUE VALUES\n`
      : `INSERT INTO ${quoted(table)} (${names}) VALUES\n`;
  return utf8ByteString(head);
}

const QUOTED: Readonly<Record<RowsDescription['dialect'], (name: string) => string>> = {
  postgres: (name) => `"${name.replaceAll('"', '""')}"`,
  mysql: (name) => `\`${name.replaceAll('`', '``')}\``,
};

const NUMBERS: ReadonlySet<ValueKind> = new Set(['integer', 'float', 'decimal']);
const isNumber = (value: string, kind: ValueKind): boolean =>
  NUMBERS.has(kind) && /^-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?$/.test(value);

/** Floats as text: a bare -0 would be an integer, which has none. */
function postgresLiteral(value: string, kind: ValueKind): string {
  return kind !== 'float' && isNumber(value, kind) ? value : `'${value.replaceAll("'", "''")}'`;
}

/** What the client program would take for its own, or change, when a file goes through it. */
const MYSQL_ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\n': '\\n',
  '\r': '\\r',
  '\x1a': '\\Z',
  '\\': '\\\\',
  "'": "''",
};

function mysqlLiteral(value: string, kind: ValueKind): string {
  if (kind === 'bytes') return `X'${value.slice(2)}'`;
  if (isNumber(value, kind)) return value;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  return `'${value.replace(/[\0\n\r\x1a\\']/g, (character) => MYSQL_ESCAPES[character]!)}'`;
}
