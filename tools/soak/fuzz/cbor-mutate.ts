import type { Dice } from './dice.ts';
import { splice } from './mutate.ts';

/** What canonical decoding has to refuse, or what stands at the edge of what it takes. */
const ITEMS = [
  'f6', // null
  'f7', // undefined
  'f4', // false
  'f8 20', // a simple value
  'f9 7e00', // not a number, as half a float
  'fb 3ff0000000000000', // 1.0
  'c2 49 010000000000000000', // a big number behind a tag
  'c0 60', // a date without text
  'ff', // a break
  '9f ff', // indefinite lengths
  'bf ff',
  '5f 41 00 ff',
  '1b ffffffffffffffff',
  '3b ffffffffffffffff',
  '1b 001fffffffffffff',
  '1b 0020000000000000',
  '5b 001fffffffffffff',
  '9a ffffffff',
  'bb ffffffffffffffff',
  '61 ff', // text that is not UTF-8
  '63 eda080', // a surrogate
  '63 efbbbf', // a byte order mark
  '63 efbfbd', // what a decoder puts in place of wrong bytes
  'a2 6161 00 6161 01', // a key twice
  'a1 69 5f5f70726f746f5f5f 00', // __proto__
  '80',
  'a0',
  '60',
  '40',
].map((hex) => Buffer.from(hex.replaceAll(' ', ''), 'hex'));

interface Item {
  readonly start: number;
  /** Of what stands behind the head. */
  readonly body: number;
  readonly end: number;
  readonly major: number;
  readonly argument: bigint;
}

/** Deep enough for what we write, and for what hostile bytes look like to it. */
const MOST_DEPTH = 32;

/** A change that knows what CBOR looks like. Where the formats wrap it, some place or other inside is found by luck. */
export function mutateCbor(input: Uint8Array, other: Uint8Array, dice: Dice): Uint8Array {
  const start = dice.below(input.length + 1);
  const item = itemAt(input, start, 0);
  if (item === null) return splice(input, start, 0, dice.pick(ITEMS));
  const { body, end, major, argument } = item;
  const whole = input.subarray(start, end);
  switch (dice.below(9)) {
    case 0:
      return splice(input, start, end - start, dice.pick(ITEMS));
    case 1:
      return splice(input, start, body - start, headOf(major, argument, dice.below(5)));
    case 2:
      return splice(
        input,
        start,
        body - start,
        headOf(major, argument + dice.pick([-1n, 1n, 2n, 1n << 31n])),
      );
    case 3:
      return splice(input, start, body - start, headOf(dice.below(8), argument));
    case 4:
      return splice(input, start, 1, Uint8Array.of((major << 5) | dice.between(28, 31)));
    case 5:
      return splice(
        input,
        start,
        0,
        new Uint8Array(dice.between(1, 40)).fill(dice.pick([0x81, 0xa1, 0xd8, 0x9f])),
      );
    case 6:
      return splice(input, start, 0, whole);
    case 7:
      return splice(input, start, end - start, new Uint8Array(0));
    default: {
      const from = dice.below(other.length + 1);
      const foreign = itemAt(other, from, 0);
      return splice(
        input,
        start,
        end - start,
        foreign ? other.subarray(from, foreign.end) : dice.pick(ITEMS),
      );
    }
  }
}

/** @param width 0: shortest; 1 to 4: in 1, 2, 4 or 8 bytes, which is longer than needed as a rule. */
function headOf(major: number, argument: bigint, width = 0): Uint8Array {
  const value = argument < 0n ? 0n : BigInt.asUintN(64, argument);
  if (width === 0 && value < 24n) return Uint8Array.of((major << 5) | Number(value));
  const needed = value < 0x100n ? 1 : value < 0x1_0000n ? 2 : value < 0x1_0000_0000n ? 3 : 4;
  const step = Math.max(width, needed);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return Buffer.concat([Uint8Array.of((major << 5) | (23 + step)), bytes.subarray(8 - 2 ** (step - 1))]);
}

function itemAt(input: Uint8Array, start: number, depth: number): Item | null {
  const first = input[start];
  if (first === undefined || depth > MOST_DEPTH) return null;
  const major = first >> 5;
  const short = first & 31;
  const width = short < 24 ? 0 : short <= 27 ? 2 ** (short - 24) : -1;
  const body = start + 1 + width;
  if (width < 0 || body > input.length) return null;
  const argument =
    width === 0 ? BigInt(short) : BigInt(`0x${Buffer.from(input.subarray(start + 1, body)).toString('hex')}`);
  const end = endOf(input, { body, major, argument }, depth);
  return end === null ? null : { start, body, end, major, argument };
}

function endOf(
  input: Uint8Array,
  item: Pick<Item, 'body' | 'major' | 'argument'>,
  depth: number,
): number | null {
  const { body, major, argument } = item;
  if (major === 2 || major === 3) return argument > input.length - body ? null : body + Number(argument);
  if (major !== 4 && major !== 5 && major !== 6) return body;
  const items = major === 6 ? 1n : major === 5 ? argument * 2n : argument;
  if (items > input.length - body) return null;
  let at = body;
  for (let i = 0n; i < items; i++) {
    const inner = itemAt(input, at, depth + 1);
    if (inner === null) return null;
    at = inner.end;
  }
  return at;
}
