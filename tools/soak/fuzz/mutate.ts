import { mutateCbor } from './cbor-mutate.ts';
import type { Dice } from './dice.ts';
import type { Target } from './target.ts';

const MOST_EDITS = 5;
const RANDOM_SHARE = 0.02;
const REPAIR_SHARE = 0.6;
const CBOR_SHARE = 0.4;
const HEADER_SHARE = 0.3;
const HEADER_BYTES = 48;

/** Where comparisons and conversions between widths and signs go wrong. */
const EXTREMES = [
  0n,
  1n,
  0x17n,
  0x18n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0x7fffn,
  0xffffn,
  0x1_0000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x1f_ffff_ffff_ffffn,
  0x20_0000_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0xffff_ffff_ffff_ffffn,
] as const;

/** A new input, from one of the corpus or from nothing, at most `most` bytes long. */
export function mutate(
  target: Pick<Target, 'repair' | 'text'>,
  corpus: readonly Uint8Array[],
  dice: Dice,
  most: number,
): Uint8Array {
  if (corpus.length === 0 || dice.chance(RANDOM_SHARE))
    return dice.bytes(dice.below(Math.min(most, 512) + 1));
  let input = dice.pick(corpus);
  for (let edits = dice.between(1, MOST_EDITS); edits > 0; edits--) {
    const other = dice.pick(corpus);
    if (target.text && dice.chance(0.7)) input = editText(input, dice);
    else if (dice.chance(CBOR_SHARE)) input = mutateCbor(input, other, dice);
    else input = edit(input, other, dice);
    if (input.length > most) input = input.subarray(0, most);
  }
  if (target.repair && dice.chance(REPAIR_SHARE)) input = target.repair(Uint8Array.from(input));
  return input;
}

export function splice(input: Uint8Array, at: number, dropped: number, inserted: Uint8Array): Uint8Array {
  return Buffer.concat([input.subarray(0, at), inserted, input.subarray(at + dropped)]);
}

function edit(input: Uint8Array, other: Uint8Array, dice: Dice): Uint8Array {
  const at = placeIn(input, dice);
  const length = dice.chance(0.7) ? dice.between(1, 8) : dice.between(1, input.length + 1);
  switch (dice.below(11)) {
    case 0:
    case 1:
      return changed(input, at, (byte) => byte ^ (1 << dice.below(8)));
    case 2:
      return changed(input, at, () => dice.pick([0, 1, 0x7f, 0x80, 0xff, dice.below(256)]));
    case 3:
      return changed(input, at, (byte) => byte + dice.between(-16, 16));
    case 4:
      return splice(input, at, 0, dice.bytes(Math.min(length, 64)));
    case 5:
      return splice(
        input,
        at,
        0,
        new Uint8Array(Math.min(length, 300)).fill(dice.pick([0, 0xff, 0x80, 0x81])),
      );
    case 6:
      return splice(input, at, length, new Uint8Array(0));
    case 7:
      return input.subarray(0, at);
    case 8:
      return splice(input, at, dice.chance(0.5) ? length : 0, extreme(dice));
    case 9: {
      const from = dice.below(other.length + 1);
      return splice(input, at, dice.chance(0.5) ? length : 0, other.subarray(from, from + length));
    }
    default:
      return Buffer.concat([input.subarray(0, at), other.subarray(dice.below(other.length + 1))]);
  }
}

/** Mostly anywhere; often near the beginning, where headers are. */
function placeIn(input: Uint8Array, dice: Dice): number {
  return dice.below((dice.chance(HEADER_SHARE) ? Math.min(input.length, HEADER_BYTES) : input.length) + 1);
}

function changed(input: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  if (input.length === 0) return input;
  const copy = Uint8Array.from(input);
  const place = Math.min(at, copy.length - 1);
  copy[place] = change(copy[place]!);
  return copy;
}

function extreme(dice: Dice): Uint8Array {
  const bytes = Buffer.alloc(8);
  const value = dice.pick(EXTREMES);
  if (dice.chance(0.3)) bytes.writeBigUInt64LE(value);
  else bytes.writeBigUInt64BE(value);
  return bytes.subarray(8 - dice.pick([2, 3, 4, 8]));
}

const TOKENS = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  'null',
  'true',
  '-0',
  '1e999',
  '9007199254740993',
  '0x10',
  '\\u0000',
  '\ud800',
  '\ufeff',
  '\u202e',
  '\u0000',
  '__proto__',
  'constructor',
  'Ł',
  '\u0130',
  ' ',
  '\n',
  '-----BEGIN CERTIFICATE-----',
] as const; // prettier-ignore

/** Text stays text for the most part: whole words and signs are exchanged. */
function editText(input: Uint8Array, dice: Dice): Uint8Array {
  const pieces = Buffer.from(input)
    .toString('utf8')
    .split(/(?<=\W)|(?=\W)/);
  const at = dice.below(pieces.length + 1);
  const from = dice.below(pieces.length);
  switch (dice.below(4)) {
    case 0:
      pieces.splice(at, dice.below(2), dice.pick(TOKENS));
      break;
    case 1:
      pieces.splice(at, 1, pieces[from]!);
      break;
    case 2:
      pieces.splice(at, dice.between(1, 3));
      break;
    default:
      pieces.splice(at, 0, ...pieces.slice(from, from + dice.between(1, 8)));
  }
  return Buffer.from(pieces.join(''), 'utf8');
}
