import { randomBytes } from 'node:crypto';
import { StripeArena } from '@holdfast/erasure';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BLOCK,
  decode,
  keyAmong,
  plainPayload,
  SHARE,
  SIZE_CLASS,
  sameBlocks,
  unsealed,
} from './attacker.ts';
import { alikeWords, byteValuesZ, matchesZ, monobitZ, NOISE_Z } from './statistics.ts';
import { sealStripe } from './stripe.ts';

/**
 * Promise 2 with parity: k − 1 of all n shards and every key of the vault. The missing equation is what nobody has; the
 * attacker guesses one shard, solves for all others, takes the seals off and decodes.
 *
 * False alarms. A run asks for at most 720 counts of matches (144 guesses, 22 primaries in each of 6 subsets, 400 packages with a
 * flipped or missing part) and 360 other z (two for each guess and subset): with the probabilities in statistics.ts that is
 * 720 · 2.6 · 10^-11 + 360 · 2.6 · 10^-12 = 2 · 10^-8. Equal words add 6 · Σ((k − 1) · 8 192)²/2^65 = 10^-9, and of 16 bytes
 * a block matches by chance with 2^-128.
 */

const SHAPES = [
  { k: 2, m: 1 },
  { k: 3, m: 5 },
  { k: 4, m: 2 },
  { k: 5, m: 3 },
  { k: 6, m: 6 },
  { k: 8, m: 2 },
] as const;
const SUBSETS = 6;

interface Coded {
  readonly k: number;
  readonly m: number;
  readonly payload: Buffer;
  readonly keys: readonly Uint8Array[];
  readonly arena: StripeArena;
  /** All n, sealed. */
  readonly shards: readonly Buffer[];
}

function coded({ k, m }: { readonly k: number; readonly m: number }): Coded {
  const payload = plainPayload(k);
  const arena = StripeArena.create({ shards: k + m, shardBytes: SIZE_CLASS });
  const shards = Array.from({ length: k }, (_, i) => arena.shard(i));
  const { shardKeys } = sealStripe(k, SIZE_CLASS, { payload, packageKey: randomBytes(32), shards });
  arena.encode({ k, m, bytes: SIZE_CLASS });
  const all = Array.from({ length: k + m }, (_, i) => Buffer.from(arena.shard(i)));
  return { k, m, payload, keys: shardKeys, arena, shards: all };
}

/** The pieces of the package that follow from these shards, one of which is a guess. */
function solve({ k, m, keys, arena }: Coded, given: ReadonlyMap<number, Uint8Array>): Buffer[] {
  for (const [index, shard] of given) arena.shard(index).set(shard);
  const wanted = keys.flatMap((_, index) => (given.has(index) ? [] : [index]));
  arena.reconstruct({ k, m, bytes: SIZE_CLASS, present: [...given.keys()], wanted });
  return keys.map((key, index) => unsealed(arena.shard(index), key));
}

function guessesOf(right: Buffer): Buffer[] {
  const almost = Buffer.from(right);
  almost[1234]! ^= 1;
  return [Buffer.alloc(SIZE_CLASS), randomBytes(SIZE_CLASS), Buffer.alloc(SIZE_CLASS, 0xff), almost];
}

const shuffled = (length: number): number[] =>
  Array.from({ length }, (_, i) => ({ i, at: randomBytes(6).readUIntBE(0, 6) }))
    .sort((a, b) => a.at - b.at)
    .map(({ i }) => i);

const isNoise = (bytes: Uint8Array): void => {
  expect(Math.abs(monobitZ(bytes))).toBeLessThan(NOISE_Z);
  expect(Math.abs(byteValuesZ(bytes))).toBeLessThan(NOISE_Z);
};

describe.each(SHAPES)('with all keys and k − 1 of $k + $m shards', (shape) => {
  const stripe = coded(shape);
  const { k, m, payload, shards } = stripe;

  it('decodes with any k, in the same way (so that the tests below mean something)', () => {
    for (let round = 0; round < SUBSETS; round++) {
      const chosen = shuffled(k + m).slice(0, k);
      const pieces = solve(stripe, new Map(chosen.map((index) => [index, shards[index]!])));
      expect(decode(Buffer.concat(pieces)).payload.equals(payload)).toBe(true);
    }
  });

  it('no block comes back, whatever is guessed for one more shard', () => {
    for (let round = 0; round < SUBSETS; round++) {
      const [guessed, ...rest] = shuffled(k + m).slice(0, k) as [number, ...number[]];
      for (const guess of guessesOf(shards[guessed]!)) {
        const given = new Map([[guessed, guess], ...rest.map((index) => [index, shards[index]!] as const)]);
        const pack = Buffer.concat(solve(stripe, given));
        const { payload: attempt } = decode(pack);
        expect(sameBlocks(attempt, payload)).toBe(0);
        expect(sameBlocks(pack, payload)).toBe(0);
        expect(Math.abs(matchesZ(attempt, payload))).toBeLessThan(NOISE_Z);
        isNoise(attempt);
      }
    }
  });

  it('what is known for certain looks like noise', () => {
    for (let round = 0; round < SUBSETS; round++) {
      const known = shuffled(k + m).slice(0, k - 1);
      const primaries = known.filter((index) => index < k);
      const parts = primaries.map((index) => unsealed(shards[index]!, stripe.keys[index]!));
      // Of parity shards there is one linear equation each, over sealed shards: they are looked at as they are.
      const all = Buffer.concat([
        ...parts,
        ...known.filter((index) => index >= k).map((index) => shards[index]!),
      ]);
      isNoise(all);
      expect(alikeWords(all)).toBe(0);
      for (const [i, part] of parts.entries())
        expect(Math.abs(matchesZ(part, payload.subarray(primaries[i]! * SHARE)))).toBeLessThan(NOISE_Z);
    }
  });
});

it('the package’s key is not to be found in what is known', () => {
  const stripe = coded({ k: 3, m: 2 });
  const pieces = stripe.keys.map((key, index) => unsealed(stripe.shards[index]!, key));
  const { key } = decode(Buffer.concat(pieces));
  // The first block of the first piece: the attacker may well know how a payload begins.
  const [cipher, plain] = [pieces[0]!.subarray(0, BLOCK), stripe.payload.subarray(0, BLOCK)];
  const known = Buffer.concat([pieces[0]!, pieces[2]!]);
  expect(keyAmong(known, 0, cipher, plain)).toBe(false);
  // That it would be found, were it there.
  expect(keyAmong(Buffer.concat([known.subarray(-1001), key]), 0, cipher, plain)).toBe(true);
});

describe('a package of which one part is not what it was', () => {
  const made = new Map(SHAPES.map(({ k }) => [k, coded({ k, m: 0 })]));
  const packOf = ({ keys, shards }: Coded): Buffer[] => keys.map((key, i) => unsealed(shards[i]!, key));

  /** Nothing decodes: each block is another, and no more bytes are the same than chance has it. */
  function expectNothing(pack: Buffer, { payload }: Coded): void {
    const { payload: attempt } = decode(pack);
    expect(sameBlocks(attempt, payload)).toBe(0);
    expect(Math.abs(matchesZ(attempt, payload))).toBeLessThan(NOISE_Z);
  }

  it('does not decode in any block after one bit was flipped anywhere', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...made.keys()),
        fc.nat(),
        fc.nat({ max: 7 }),
        fc.boolean(),
        (k, at, bit, atEnd) => {
          const stripe = made.get(k)!;
          const pack = Buffer.concat(packOf(stripe));
          // Half of the time in the key behind the body, which is a small part of it.
          const place = atEnd ? pack.length - 1 - (at % 32) : at % pack.length;
          pack[place]! ^= 1 << bit;
          expectNothing(pack, stripe);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('does not decode in any block without one of its parts, whatever takes its place', () => {
    const standIn = fc.constantFrom('nothing', 'zeros', 'noise', 'another part');
    fc.assert(
      fc.property(fc.constantFrom(...made.keys()), fc.nat(), standIn, (k, at, instead) => {
        const stripe = made.get(k)!;
        const parts = packOf(stripe);
        const index = at % k;
        const other = parts[(index + 1) % k]!;
        const bytes = { nothing: 0, zeros: SHARE, noise: SHARE, 'another part': SHARE }[instead]!;
        parts[index] =
          instead === 'noise' ? randomBytes(bytes) : instead === 'another part' ? other : Buffer.alloc(bytes);
        expectNothing(Buffer.concat(parts), stripe);
      }),
      { numRuns: 200 },
    );
  });
});
