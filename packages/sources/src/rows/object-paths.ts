import { type ObjectPath, pathFromText } from '@holdfast/contracts';

/** Which rows an object holds; `docs/specs/rows.md` says how that becomes a path. */
export interface RowsPlace {
  readonly schema: string;
  readonly table: string;
  /** Null: of the columns in no family. */
  readonly family: string | null;
  /** Null: the table has no time column, or no rows. */
  readonly windowLabel: string | null;
}

export interface ParsedRowsPath extends RowsPlace {
  readonly kind: 'rows' | 'rows-index';
}

const ROOT = '2-rows';
const MAIN = 'main';
const ALL = 'all';
const FAMILY = 'family-';

export const rowsPath = (place: RowsPlace): ObjectPath => pathFromText(`${directory(place)}/rows`);

export const indexPath = (place: RowsPlace): ObjectPath => pathFromText(`${directory(place)}/rows-index`);

/** Null for paths of other objects, and for what this program would have written otherwise. */
export function parseRowsPath(path: ObjectPath): ParsedRowsPath | null {
  const parts = Buffer.from(path).toString('utf8').split('/');
  const [root, schema, table, family, window, kind] = parts;
  if (parts.length !== 6 || root !== ROOT || (kind !== 'rows' && kind !== 'rows-index')) return null;
  const place: RowsPlace = {
    schema: unescaped(schema!),
    table: unescaped(table!),
    family: family === MAIN ? null : unescaped(family!.slice(FAMILY.length)),
    windowLabel: window === ALL ? null : unescaped(window!),
  };
  return Buffer.from(kind === 'rows' ? rowsPath(place) : indexPath(place)).equals(path)
    ? { ...place, kind }
    : null;
}

function directory({ schema, table, family, windowLabel }: RowsPlace): string {
  const familyPart = family === null ? MAIN : `${FAMILY}${escaped(family)}`;
  return [ROOT, escaped(schema), escaped(table), familyPart, escaped(windowLabel ?? ALL)].join('/');
}

/** A name's first dot too: no name becomes `.` or `..`. */
export const escaped = (name: string): string =>
  name.replace(/[%/\p{Cc}]/gu, percent).replace('.', percent('.'));

const percent = (text: string): string =>
  Array.from(
    Buffer.from(text, 'utf8'),
    (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');

function unescaped(text: string): string {
  const bytes = text.replace(/%[0-9A-F]{2}|[^%]+|%/g, (part) =>
    part.length === 3 && part.startsWith('%')
      ? String.fromCharCode(Number.parseInt(part.slice(1), 16))
      : latin(part),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

const latin = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
