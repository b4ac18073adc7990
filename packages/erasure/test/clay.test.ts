import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scheduleCacheBytes } from '../src/clay/schedule-cache.ts';
import { CLAY_BLOCK_BYTES, supportedVariants } from '../src/index.ts';
import { CLAY_SHAPES, clayArena, clayStripes, digestOf, isClayWord, shapeOf } from './clay-stripes.ts';
import { contents, fill, range, subset } from './stripes.ts';

describe('a Clay code', () => {
  it('encodes words of the code that the specification defines, in every variant', () => {
    fc.assert(
      fc.property(clayStripes(), (stripe) => {
        const words = supportedVariants().map((variant) => {
          const arena = clayArena(stripe, variant);
          const before = digestOf(arena, range(0, stripe.k), stripe.bytes);
          arena.encode(shapeOf(stripe));
          expect(digestOf(arena, range(0, stripe.k), stripe.bytes)).toEqual(before);
          return arena;
        });
        const all = range(0, stripe.k + stripe.m);
        const digests = words.map((arena) => digestOf(arena, all, stripe.bytes));
        for (const digest of digests.slice(1)) expect(digest).toEqual(digests[0]);
        const word = contents(words[0]!, all, stripe.bytes);
        if (word.length <= 24) expect(isClayWord(stripe, word)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it('is told from other words (so that the test above means something)', () => {
    const stripe = { k: 4, m: 2, helpers: 5, bytes: CLAY_BLOCK_BYTES, seed: 4 };
    const arena = clayArena(stripe);
    arena.encode(shapeOf(stripe));
    const word = contents(arena, range(0, 6), stripe.bytes);
    expect(isClayWord(stripe, word)).toBe(true);
    for (const shard of range(0, 6)) {
      word[shard]![40_000]! ^= 1;
      expect(isClayWord(stripe, word)).toBe(false);
      word[shard]![40_000]! ^= 1;
    }
    arena.encode({ k: 4, m: 2, bytes: stripe.bytes });
    expect(isClayWord(stripe, contents(arena, range(0, 6), stripe.bytes))).toBe(false);
  });

  it('makes any shards from any k others, and touches no others', () => {
    fc.assert(
      fc.property(clayStripes(), fc.integer(), fc.nat(), (stripe, order, extra) => {
        const { k, m, bytes } = stripe;
        const shuffled = subset(k + m, k + m, order);
        const present = shuffled.slice(0, k + (extra % (m + 1)));
        const wanted = shuffled.slice(present.length).slice(0, 1 + (extra % 7));
        const arena = clayArena(stripe, supportedVariants()[extra % 3]);
        arena.encode(shapeOf(stripe));
        const before = contents(arena, range(0, k + m), bytes);
        for (const index of shuffled.slice(present.length)) arena.shard(index).fill(0x55);
        arena.reconstruct({ ...shapeOf(stripe), present, wanted });
        for (const index of shuffled) {
          const restored = present.includes(index) || wanted.includes(index);
          const expected = restored ? before[index]! : new Uint8Array(bytes).fill(0x55);
          expect(Buffer.from(arena.shard(index)).equals(expected), `shard ${index}`).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    { k: 4, m: 2, helpers: 5 },
    { k: 6, m: 4, helpers: 7 },
    { k: 6, m: 4, helpers: 9 },
  ])('can do with every choice of $k out of $k + $m, $helpers helpers', (shape) => {
    const stripe = { ...shape, bytes: CLAY_BLOCK_BYTES, seed: 99 };
    const { k, m, bytes } = stripe;
    const arena = clayArena(stripe);
    arena.encode(shapeOf(stripe));
    const before = contents(arena, range(0, k + m), bytes);
    for (let bits = 0; bits < 1 << (k + m); bits++) {
      const present = range(0, k + m).filter((index) => (bits >> index) & 1);
      if (present.length !== k) continue;
      const wanted = range(0, k + m).filter((index) => !present.includes(index));
      for (const index of wanted) arena.shard(index).fill(0);
      arena.reconstruct({ ...shapeOf(stripe), present, wanted });
      for (const index of wanted) expect(Buffer.from(arena.shard(index)).equals(before[index]!)).toBe(true);
    }
  });

  it('verifies what it made and notices any flipped bit', () => {
    fc.assert(
      fc.property(
        clayStripes(),
        fc.nat(),
        fc.nat(),
        fc.integer({ min: 0, max: 7 }),
        (stripe, shard, at, bit) => {
          const { k, m, bytes } = stripe;
          const arena = clayArena(stripe);
          arena.encode(shapeOf(stripe));
          expect(arena.verify(shapeOf(stripe))).toBe(true);
          arena.shard(shard % (k + m))[at % bytes]! ^= 1 << bit;
          expect(arena.verify(shapeOf(stripe))).toBe(false);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('brings parity up to date after one primary changed', () => {
    fc.assert(
      fc.property(clayStripes(), fc.nat(), (stripe, which) => {
        const { k, m, bytes } = stripe;
        const arena = clayArena(stripe, undefined, bytes);
        arena.encode(shapeOf(stripe));
        const index = which % k;
        arena.scratch.set(arena.shard(index));
        fill(arena.shard(index), stripe.seed + 12345);
        const old = Uint8Array.from(arena.scratch);
        arena.updateParity({ ...shapeOf(stripe), index });
        expect(Buffer.from(arena.scratch).equals(old)).toBe(true);
        const updated = digestOf(arena, range(k, k + m), bytes);
        arena.encode(shapeOf(stripe));
        expect(digestOf(arena, range(k, k + m), bytes)).toEqual(updated);
      }),
      { numRuns: 30 },
    );
  });

  it('follows one schedule after another, plain code in between, in one arena', () => {
    const stripe = { k: 5, m: 2, helpers: 6, bytes: CLAY_BLOCK_BYTES, seed: 8 };
    const plain = { k: 5, m: 2, bytes: CLAY_BLOCK_BYTES };
    const arena = clayArena(stripe);
    arena.encode(shapeOf(stripe));
    const word = digestOf(arena, range(0, 7), stripe.bytes);
    for (let round = 0; round < 20; round++) {
      const present = subset(7, 5, round);
      const wanted = range(0, 7).filter((index) => !present.includes(index));
      arena.reconstruct({ ...shapeOf(stripe), present, wanted });
      expect(digestOf(arena, range(0, 7), stripe.bytes)).toEqual(word);
      arena.encode(plain);
      expect(arena.verify(plain)).toBe(true);
      arena.encode(shapeOf(stripe));
      // The same schedule as before, after the plain code has had its tables in the same place.
      expect(arena.verify(plain)).toBe(false);
      arena.encode(shapeOf(stripe));
    }
  });

  it('writes nothing outside of the shards that it is to make', () => {
    fc.assert(
      fc.property(clayStripes(), (stripe) => {
        const { k, m, bytes } = stripe;
        const arena = clayArena(stripe, undefined, bytes);
        const all = new Uint8Array(arena.memory.buffer);
        const zones = range(0, k + m).map((index) => {
          const end = index + 1 < k + m ? arena.shardOffset(index + 1) : arena.scratch.byteOffset;
          return all.subarray(arena.shardOffset(index) + bytes, end);
        });
        zones.push(arena.scratch, all.subarray(arena.scratch.byteOffset + bytes));
        for (const zone of zones) zone.fill(0xa5);
        const lost = range(0, Math.min(k, m));
        arena.encode(shapeOf(stripe));
        arena.verify(shapeOf(stripe));
        arena.reconstruct({ ...shapeOf(stripe), present: range(lost.length, k + m), wanted: lost });
        for (const zone of zones) expect(zone.every((byte) => byte === 0xa5)).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  it('keeps its cache of schedules bounded', () => {
    const stripe = { k: 16, m: 8, helpers: 23, bytes: CLAY_BLOCK_BYTES, seed: 3 };
    const arena = clayArena(stripe);
    arena.encode(shapeOf(stripe));
    const before = digestOf(arena, range(0, 16), stripe.bytes);
    for (let round = 0; round < 20; round++) {
      const present = subset(24, 16, round);
      const wanted = range(0, 24).filter((index) => !present.includes(index));
      arena.reconstruct({ ...shapeOf(stripe), present, wanted });
    }
    expect(digestOf(arena, range(0, 16), stripe.bytes)).toEqual(before);
    const { held, limit } = scheduleCacheBytes();
    expect(held).toBeLessThanOrEqual(limit);
    expect(held).toBeGreaterThan(limit / 2);
  });

  it('finds room in its arena for every schedule of every shape', () => {
    for (const shape of CLAY_SHAPES) {
      const stripe = { ...shape, bytes: CLAY_BLOCK_BYTES, seed: 1 };
      const { k, m } = shape;
      const arena = clayArena(stripe);
      // As many unknown dots as there can be: most classes of layers, shortest runs.
      for (const lost of [range(0, Math.min(k, m)), subset(k + m, m, k)]) {
        const present = range(0, k + m).filter((index) => !lost.includes(index));
        arena.encode(shapeOf(stripe));
        arena.reconstruct({ ...shapeOf(stripe), present, wanted: lost });
        expect(arena.verify(shapeOf(stripe))).toBe(true);
      }
    }
  });
});
