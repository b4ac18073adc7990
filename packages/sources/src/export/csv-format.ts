import { utf8ByteString } from './byte-string.ts';
import type { RowFormat } from './row-format.ts';

const END = '\r\n';

/**
 * RFC 4180 with a line of names, and null told from an empty text as PostgreSQL does: null is nothing, an empty text is `""`.
 * A second table comes behind an empty line.
 */
export function csvFormat(): RowFormat {
  let tables = 0;
  return {
    start: () => '',
    begin({ description }) {
      const names = description.columns.map(({ name }) => utf8ByteString(name));
      return `${tables++ > 0 ? END : ''}${line(names)}`;
    },
    row: line,
    end: () => '',
  };
}

function line(values: readonly (string | null)[]): string {
  let text = '';
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    text += i > 0 ? ',' : '';
    if (value !== null) text += quoted(value);
  }
  return text + END;
}

/** Alone in its line, `\.` would end what PostgreSQL reads. */
const quoted = (value: string): string =>
  value === '' || value === '\\.' || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
