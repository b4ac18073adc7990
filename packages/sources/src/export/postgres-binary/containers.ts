import { broken, FieldBytes } from './field-bytes.ts';

/** Takes all of a field, and gives what the type's output function would write, one character for each byte. */
export type Decoder = (field: FieldBytes) => string;

const EMPTY = 1;
const LOWER_INCLUDED = 2;
const UPPER_INCLUDED = 4;
const LOWER_INFINITE = 8;
const UPPER_INFINITE = 16;

/** Of values whose text `bound` gives. */
export const rangeText =
  (bound: Decoder): Decoder =>
  (field) => {
    const flags = field.uint8();
    if ((flags & EMPTY) !== 0) return 'empty';
    const lower = (flags & LOWER_INFINITE) !== 0 ? '' : quotedBound(part(field, bound));
    const upper = (flags & UPPER_INFINITE) !== 0 ? '' : quotedBound(part(field, bound));
    return `${(flags & LOWER_INCLUDED) !== 0 ? '[' : '('}${lower},${upper}${(flags & UPPER_INCLUDED) !== 0 ? ']' : ')'}`;
  };

export const multirangeText =
  (bound: Decoder): Decoder =>
  (field) => {
    const count = field.int32();
    if (count < 0 || count > field.left / 5) throw broken('has another number of ranges than it says');
    return `{${Array.from({ length: count }, () => part(field, rangeText(bound))).join(',')}}`;
  };

const quotedBound = (text: string): string =>
  text === '' || /[\t-\r "\\()[\],]/.test(text) ? `"${text.replace(/["\\]/g, '$&$&')}"` : text;

/** A length and so many bytes, which `decode` takes all of. */
function part(field: FieldBytes, decode: Decoder): string {
  return whole(field.bytes(field.int32()), decode);
}

/** FORMAT_INVALID when the decoder does not take all of the bytes. */
export function whole(bytes: Uint8Array, decode: Decoder): string {
  const field = new FieldBytes(bytes);
  const text = decode(field);
  if (field.left !== 0) throw broken(`goes on for ${field.left} bytes behind its end`);
  return text;
}

const MAX_DIMENSIONS = 6;

/** Of values of one type. */
export const arrayText =
  (elementOid: number, element: Decoder, delimiter: ',' | ';'): Decoder =>
  (field) => {
    const dimensions = field.int32();
    field.int32();
    if (dimensions < 0 || dimensions > MAX_DIMENSIONS) throw broken('has an impossible number of dimensions');
    if (field.uint32() !== elementOid) throw broken('is an array of another type');
    if (dimensions === 0) return '{}';
    const shape = Array.from({ length: dimensions }, () => ({ length: field.int32(), lower: field.int32() }));
    const count = shape.reduce((all, { length }) => all * length, 1);
    if (!(shape.every(({ length }) => length > 0) && count <= field.left / 4)) {
      throw broken('has another number of elements than it says');
    }
    const items = Array.from({ length: count }, () => itemText(field, element, delimiter));
    return bounds(shape) + nested(items, shape, delimiter);
  };

interface Dimension {
  readonly length: number;
  readonly lower: number;
}

/** Said only where a dimension does not begin at 1. */
function bounds(shape: readonly Dimension[]): string {
  if (shape.every(({ lower }) => lower === 1)) return '';
  return `${shape.map(({ length, lower }) => `[${lower}:${lower + length - 1}]`).join('')}=`;
}

/** From the innermost dimension outwards. */
function nested(items: readonly string[], shape: readonly Dimension[], delimiter: string): string {
  let level = items;
  for (const { length } of shape.toReversed()) {
    level = Array.from(
      { length: level.length / length },
      (_, i) => `{${level.slice(i * length, (i + 1) * length).join(delimiter)}}`,
    );
  }
  return level[0]!;
}

function itemText(field: FieldBytes, element: Decoder, delimiter: ',' | ';'): string {
  const length = field.int32();
  if (length === -1) return 'NULL';
  const text = whole(field.bytes(length), element);
  const plain =
    (delimiter === ',' ? /^[^\t-\r "\\{},]+$/ : /^[^\t-\r "\\{};]+$/).test(text) && !/^null$/i.test(text);
  return plain ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}
