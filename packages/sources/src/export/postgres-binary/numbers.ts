import { broken, type FieldBytes } from './field-bytes.ts';

const NEGATIVE = 0x4000;
const SPECIAL: Readonly<Record<number, string>> = { 49152: 'NaN', 53248: 'Infinity', 61440: '-Infinity' };

/** Groups of four decimal digits, the weight of the first of them, and how many digits are shown behind the point. */
export function numericText(field: FieldBytes): string {
  const count = field.uint16();
  const weight = field.int16();
  const sign = field.uint16();
  const scale = field.uint16();
  const groups = Array.from({ length: checked(count, field) }, () => group(field.uint16()));
  const special = SPECIAL[sign];
  if (special) return special;
  if (sign !== 0 && sign !== NEGATIVE) throw broken('has an unknown sign');
  const at = (i: number): string => groups[i] ?? '0000';
  const whole =
    range(0, weight + 1)
      .map(at)
      .join('')
      .replace(/^0+/, '') || '0';
  const shown = range(weight + 1, weight + 1 + Math.ceil(scale / 4))
    .map(at)
    .join('')
    .slice(0, scale);
  return `${sign === NEGATIVE ? '-' : ''}${whole}${scale > 0 ? `.${shown}` : ''}`;
}

function checked(count: number, field: FieldBytes): number {
  if (2 * count !== field.left) throw broken('has another number of digits than it says');
  return count;
}

function group(value: number): string {
  if (value > 9999) throw broken('has a digit above 9999');
  return String(value).padStart(4, '0');
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
