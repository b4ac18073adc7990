import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coefficient } from '../src/generator-matrix.ts';
import { supportedVariants } from '../src/index.ts';
import { programCacheBytes } from '../src/kernel/program-cache.ts';
import { cell, combine, decode, generatorRow } from './reference-code.ts';
import { arenaOf, contents, fill, range, shapes, stripes, subset } from './stripes.ts';

describe('the generator matrix', () => {
  it('has the coefficients of the specification wherever a shape can reach', () => {
    for (let j = 0; j < 255; j++)
      for (let i = 0; i < 255 - j; i++) expect(coefficient(j, i)).toBe(cell(j, i));
  });

  it('makes parity 0 the XOR of the primaries and every parity of one primary its copy', () => {
    for (let i = 0; i < 255; i++) expect(coefficient(0, i)).toBe(1);
    for (let j = 0; j < 255; j++) expect(coefficient(j, 0)).toBe(1);
  });
});

describe('encode', () => {
  it('gives the parity of the slow implementation, in every variant', () => {
    fc.assert(
      fc.property(stripes(), (stripe) => {
        const { k, m, bytes } = stripe;
        const parity = supportedVariants().map((variant) => {
          const arena = arenaOf(stripe, variant);
          arena.encode({ k, m, bytes });
          return contents(arena, range(k, k + m), bytes);
        });
        const primaries = contents(arenaOf(stripe), range(0, k), bytes);
        const checked = subset(m, Math.min(m, 6), stripe.seed);
        for (const j of checked)
          expect(parity[0]![j]).toEqual(combine(generatorRow(k, k + j), primaries, bytes));
        for (const other of parity) expect(other).toEqual(parity[0]);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps parity shards valid when more are added', () => {
    const small = arenaOf({ k: 5, m: 2, bytes: 64, seed: 1 });
    const large = arenaOf({ k: 5, m: 9, bytes: 64, seed: 1 });
    small.encode({ k: 5, m: 2, bytes: 64 });
    large.encode({ k: 5, m: 9, bytes: 64 });
    expect(contents(large, [5, 6], 64)).toEqual(contents(small, [5, 6], 64));
  });

  it('codes the first bytes of longer slots and leaves the rest alone', () => {
    const arena = arenaOf({ k: 3, m: 5, bytes: 640, seed: 7 });
    for (const index of range(3, 8)) arena.shard(index).fill(0xee);
    arena.encode({ k: 3, m: 5, bytes: 192 });
    const primaries = contents(arena, [0, 1, 2], 192);
    expect(Uint8Array.from(arena.shard(7, 192))).toEqual(combine(generatorRow(3, 7), primaries, 192));
    for (const index of range(3, 8))
      expect(
        arena
          .shard(index)
          .subarray(192)
          .every((byte) => byte === 0xee),
      ).toBe(true);
  });
});

describe('reconstruct', () => {
  it('makes any shards from any k others, in every variant', () => {
    fc.assert(
      fc.property(stripes(), fc.integer(), fc.nat(), (stripe, order, extra) => {
        const { k, m, bytes } = stripe;
        const shuffled = subset(k + m, k + m, order);
        const present = shuffled.slice(0, k + (extra % (m + 1)));
        const wanted = shuffled.slice(present.length).slice(0, 1 + (extra % 7));
        for (const variant of supportedVariants()) {
          const arena = arenaOf(stripe, variant);
          arena.encode({ k, m, bytes });
          const before = contents(arena, range(0, k + m), bytes);
          for (const index of shuffled.slice(present.length)) arena.shard(index).fill(0x55);
          arena.reconstruct({ k, m, bytes, present, wanted });
          for (const index of [...present, ...wanted]) {
            expect(Uint8Array.from(arena.shard(index)), `shard ${index}`).toEqual(before[index]);
          }
          const untouched = shuffled.slice(present.length + wanted.length);
          for (const index of untouched) expect(arena.shard(index).every((byte) => byte === 0x55)).toBe(true);
        }
      }),
      { numRuns: 80 },
    );
  });

  it('can do with every one of the 210 choices of 4 out of 10', () => {
    const [k, m, bytes] = [4, 6, 64];
    const arena = arenaOf({ k, m, bytes, seed: 99 });
    arena.encode({ k, m, bytes });
    const before = contents(arena, range(0, 10), bytes);
    let choices = 0;
    for (let bits = 0; bits < 1024; bits++) {
      const present = range(0, 10).filter((index) => (bits >> index) & 1);
      if (present.length !== k) continue;
      choices++;
      const wanted = range(0, 10).filter((index) => !present.includes(index));
      for (const index of wanted) arena.shard(index).fill(0);
      arena.reconstruct({ k, m, bytes, present, wanted });
      expect(contents(arena, range(0, 10), bytes)).toEqual(before);
    }
    expect(choices).toBe(210);
  });

  it('is undone by the slow implementation', () => {
    fc.assert(
      fc.property(shapes(), fc.integer(), ({ k, m }, seed) => {
        fc.pre(k <= 20);
        const arena = arenaOf({ k, m, bytes: 64, seed });
        arena.encode({ k, m, bytes: 64 });
        const chosen = subset(k + m, k, seed);
        const decoded = decode(k, chosen, contents(arena, chosen, 64), 64);
        expect(decoded).toEqual(contents(arena, range(0, k), 64));
      }),
      { numRuns: 25 },
    );
  });

  it('does the largest shapes', () => {
    for (const [k, m] of [
      [1, 254],
      [254, 1],
      [128, 127],
      [255, 0],
    ] as const) {
      const arena = arenaOf({ k, m, bytes: 64, seed: k });
      arena.encode({ k, m, bytes: 64 });
      expect(arena.verify({ k, m, bytes: 64 })).toBe(true);
      const before = contents(arena, range(0, k), 64);
      const lost = range(0, Math.min(k, m));
      for (const index of lost) arena.shard(index).fill(1);
      arena.reconstruct({ k, m, bytes: 64, present: range(lost.length, k + m), wanted: lost });
      expect(contents(arena, range(0, k), 64)).toEqual(before);
    }
  });

  it('keeps its cache of programs bounded', () => {
    const [k, m, bytes] = [100, 100, 64];
    const arena = arenaOf({ k, m, bytes, seed: 3 });
    arena.encode({ k, m, bytes });
    const before = contents(arena, range(0, k), bytes);
    for (let round = 0; round < 40; round++) {
      const present = subset(k + m, k, round);
      const wanted = range(0, k + m).filter((index) => !present.includes(index));
      arena.reconstruct({ k, m, bytes, present, wanted });
    }
    expect(contents(arena, range(0, k), bytes)).toEqual(before);
    const { held, limit } = programCacheBytes();
    expect(held).toBeLessThanOrEqual(limit);
    expect(held).toBeGreaterThan(limit / 2);
  });
});

describe('verify', () => {
  it('accepts what encode made and notices any flipped bit', () => {
    fc.assert(
      fc.property(stripes(), fc.nat(), fc.nat(), fc.integer({ min: 0, max: 7 }), (stripe, shard, at, bit) => {
        const { k, m, bytes } = stripe;
        for (const variant of supportedVariants()) {
          const arena = arenaOf(stripe, variant);
          arena.encode({ k, m, bytes });
          const before = contents(arena, range(0, k + m), bytes);
          expect(arena.verify({ k, m, bytes })).toBe(true);
          const bad = arena.shard(shard % (k + m));
          bad[at % bytes]! ^= 1 << bit;
          expect(arena.verify({ k, m, bytes })).toBe(false);
          bad[at % bytes]! ^= 1 << bit;
          expect(contents(arena, range(0, k + m), bytes)).toEqual(before);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('updateParity', () => {
  it('gives what encoding afresh would', () => {
    fc.assert(
      fc.property(stripes(), fc.nat(), fc.integer(), (stripe, choice, seed) => {
        const { k, m, bytes } = stripe;
        for (const variant of supportedVariants()) {
          const arena = arenaOf(stripe, variant, bytes);
          arena.encode({ k, m, bytes });
          const index = choice % k;
          arena.scratch.set(arena.shard(index));
          fill(arena.shard(index), seed);
          arena.updateParity({ k, m, bytes, index });
          expect(arena.verify({ k, m, bytes })).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
});
