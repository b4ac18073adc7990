import { HoldfastError } from '@holdfast/contracts';
import { utf8ByteString } from './byte-string.ts';
import type { ValueKind } from './field-text.ts';
import type { RowFormat, TableToWrite } from './row-format.ts';

/**
 * An object for each row. Numbers that every reader holds exactly are numbers, others text; json is embedded; all else is the
 * database's own text.
 * @param named Whether each row says of which table, and which family, it is.
 */
export function ndjsonFormat({ named }: { readonly named: boolean }): RowFormat {
  let keys: string[] = [];
  let kinds: ValueKind[] = [];
  let head = '{';
  return {
    start: () => '',
    begin(table) {
      const { columns } = table.description;
      head = `{${named ? belonging(table) : ''}`;
      keys = columns.map(({ name }) => `${utf8ByteString(JSON.stringify(name))}:`);
      kinds = table.readers.map(({ kind }) => kind);
      return '';
    },
    row(values) {
      let text = head;
      for (let i = 0; i < values.length; i++) {
        const value = values[i]!;
        text += (text.length > 1 ? ',' : '') + keys[i] + (value === null ? 'null' : jsonOf(value, kinds[i]!));
      }
      return `${text}}\n`;
    },
    end: () => '',
  };
}

function belonging({ description }: TableToWrite): string {
  const { schema, table, family, columns } = description;
  const facts = family === null ? { table: `${schema}.${table}` } : { table: `${schema}.${table}`, family };
  const taken = columns.find(({ name }) => Object.hasOwn(facts, name));
  if (taken) {
    throw new HoldfastError(
      'USAGE',
      `The table ${schema}.${table} has a column “${taken.name}”, which says of which table a row is.`,
      { hint: 'Export this table alone.' },
    );
  }
  return utf8ByteString(JSON.stringify(facts).slice(1, -1));
}

function jsonOf(value: string, kind: ValueKind): string {
  switch (kind) {
    case 'boolean':
      return value === 't' ? 'true' : 'false';
    case 'json':
      // Line ends in json are never within its texts.
      return value.replace(/[\r\n]/g, ' ');
    case 'integer':
      return Number.isSafeInteger(Number(value)) ? value : `"${value}"`;
    case 'float':
      return /^[-0-9.e+]+$/.test(value) ? value : `"${value}"`;
    case 'decimal':
      return isExact(value) ? value : JSON.stringify(value);
    default:
      return JSON.stringify(value);
  }
}

/** Up to fifteen digits come back from a double as they went in. */
const EXACT_DIGITS = 15;

function isExact(decimal: string): boolean {
  if (!/^-?[0-9]+(\.[0-9]+)?$/.test(decimal)) return false;
  return decimal.replace(/^-?0*\.?0*/, '').replace('.', '').length <= EXACT_DIGITS;
}
