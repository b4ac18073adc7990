import { broken, type FieldBytes } from './field-bytes.ts';

const FAMILIES: Readonly<Record<number, number>> = { 2: 4, 3: 16 };

export const inetText = (field: FieldBytes): string => address(field, false);
/** Says its prefix even when that is all of it. */
export const cidrText = (field: FieldBytes): string => address(field, true);

export function macaddrText(field: FieldBytes, length: number): string {
  return field.hex(length).match(/../g)!.join(':');
}

function address(field: FieldBytes, always: boolean): string {
  const length = FAMILIES[field.uint8()];
  const bits = field.uint8();
  field.uint8();
  if (length === undefined || field.uint8() !== length || bits > 8 * length) throw broken('is no address');
  const bytes = field.bytes(length);
  const text = length === 4 ? bytes.join('.') : version6(bytes);
  return always || bits < 8 * length ? `${text}/${bits}` : text;
}

/** Groups of hex digits, the first longest run of zeros left out, the last 32 bits in the old way where that is what they are. */
function version6(bytes: Buffer): string {
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i));
  const zeros = longestZeros(words);
  const old = zeros.at === 0 && (zeros.length === 6 || (zeros.length === 5 && words[5] === 0xffff));
  const groups = old ? [...words.slice(0, 6).map(hex), bytes.subarray(12).join('.')] : words.map(hex);
  if (zeros.length < 2) return groups.join(':');
  const end = Math.min(zeros.at + zeros.length, old ? 6 : 8);
  return `${groups.slice(0, zeros.at).join(':')}::${groups.slice(end).join(':')}`;
}

const hex = (word: number): string => word.toString(16);

function longestZeros(words: readonly number[]): { at: number; length: number } {
  let best = { at: -1, length: 0 };
  for (let at = 0; at < words.length; at++) {
    let length = 0;
    while (words[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
    at += length;
  }
  return best;
}
