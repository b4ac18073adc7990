import { broken, type FieldBytes } from './field-bytes.ts';

const WEIGHTS = ['', 'C', 'B', 'A'];

/** Lexemes in their order, each with the places where it stands. */
export function tsvectorText(field: FieldBytes): string {
  const count = field.int32();
  if (count < 0 || count > field.left / 3) throw broken('has another number of lexemes than it says');
  return Array.from({ length: count }, () => lexeme(field)).join(' ');
}

function lexeme(field: FieldBytes): string {
  const quoted = `'${field.cString().replace(/['\\]/g, '$&$&')}'`;
  const places = Array.from({ length: field.uint16() }, () => place(field.uint16()));
  return places.length === 0 ? quoted : `${quoted}:${places.join(',')}`;
}

const place = (entry: number): string => `${entry & 0x3fff}${WEIGHTS[entry >> 14]}`;
