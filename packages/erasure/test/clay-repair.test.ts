import { HoldfastError, type StridedRange } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLAY_BLOCK_BYTES, clayGeometry, repairHelpers, repairRange, StripeArena } from '../src/index.ts';
import { CLAY_SHAPES, clayArena, clayStripes, digestOf, shapeOf } from './clay-stripes.ts';
import { contents, fill, range, subset } from './stripes.ts';

/** Overwrites with noise what a repair must not read, and says how much is left. */
function keepOnly(shard: Uint8Array, { offset, length, period }: StridedRange, seed: number): number {
  const before = Uint8Array.from(shard);
  fill(shard, seed);
  let kept = 0;
  for (let at = offset; at < shard.length; at += period, kept += length) {
    shard.set(before.subarray(at, at + length), at);
  }
  return kept;
}

describe('repairing one shard', () => {
  it('takes a part of each helper, and gives the shard that was lost', () => {
    fc.assert(
      fc.property(clayStripes(), fc.nat(), fc.integer(), (stripe, which, order) => {
        const { k, m, bytes, helpers } = stripe;
        const lost = which % (k + m);
        const arena = clayArena(stripe);
        arena.encode(shapeOf(stripe));
        const before = contents(arena, range(0, k + m), bytes);
        const available = subset(k + m, k + m, order).filter((shard) => shard !== lost);
        const from = repairHelpers(stripe, lost, available)!;
        let traffic = 0;
        for (const shard of range(0, k + m)) {
          if (from.includes(shard)) traffic += keepOnly(arena.shard(shard), repairRange(stripe, lost), order);
          else fill(arena.shard(shard), order + shard);
        }
        const others = range(0, k + m).filter((shard) => shard !== lost);
        const untouched = digestOf(arena, others, bytes);
        arena.repair({ ...shapeOf(stripe), lost, from });
        expect(Buffer.from(arena.shard(lost)).equals(before[lost]!)).toBe(true);
        expect(digestOf(arena, others, bytes)).toEqual(untouched);
        expect(traffic).toBe((helpers * bytes) / (helpers - k + 1));
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    [{ k: 10, m: 4, helpers: 13 }, 0.325],
    [{ k: 10, m: 4, helpers: 11 }, 0.55],
    [{ k: 4, m: 2, helpers: 5 }, 0.625],
    [{ k: 16, m: 8, helpers: 23 }, 23 / 128],
  ])('of %j costs %d of what plain Reed–Solomon reads, whichever shard is lost', (shape, share) => {
    for (const lost of range(0, shape.k + shape.m)) {
      const { length, period } = repairRange(shape, lost);
      expect((shape.helpers * length) / period / shape.k).toBe(share);
    }
  });

  it('can do without any shards but the lost one’s column as long as helpers remain', () => {
    const shape = { k: 10, m: 4, helpers: 11 };
    // Columns of two: 12's other one is 13, and the two virtual positions pair up nothing of the others.
    expect(repairHelpers(shape, 12, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13])).toHaveLength(11);
    expect(repairHelpers(shape, 12, range(0, 12))).toBeNull();
    expect(repairHelpers(shape, 12, [0, 1, 2, 3, 4, 5, 6, 7, 8, 13])).toBeNull();
    expect(repairHelpers(shape, 0, range(1, 12))).toEqual(range(1, 12));
  });

  it('reads ranges that lie within a block, whatever the column', () => {
    for (const shape of CLAY_SHAPES) {
      for (const lost of range(0, shape.k + shape.m)) {
        const { offset, length, period } = repairRange(shape, lost);
        expect(CLAY_BLOCK_BYTES % period).toBe(0);
        expect(offset + length).toBeLessThanOrEqual(period);
        expect(length % 64).toBe(0);
      }
    }
  });
});

function refused(message: RegExp, act: () => unknown): void {
  try {
    act();
  } catch (error) {
    expect(HoldfastError.is(error)).toBe(true);
    expect((error as HoldfastError).code).toBe('CODE_PARAMETERS');
    expect((error as HoldfastError).message).toMatch(message);
    return;
  }
  throw new Error(`not refused: ${message}`);
}

describe('bad arguments', () => {
  it('are refused by name where there is no such code', () => {
    refused(/10 helpers: a Clay code of 10 \+ 4 shards has 11 to 13/, () =>
      clayGeometry({ k: 10, m: 4, helpers: 10 }),
    );
    refused(/has 11 to 13/, () => clayGeometry({ k: 10, m: 4, helpers: 14 }));
    refused(/has 11 to 13/, () => clayGeometry({ k: 10, m: 4, helpers: Number.NaN }));
    const big: unknown = 11n;
    refused(/has 11 to 13/, () => clayGeometry({ k: 10, m: 4, helpers: big as number }));
    refused(/power of two that divides m; it is 3/, () => clayGeometry({ k: 10, m: 4, helpers: 12 }));
    refused(/power of two that divides m; it is 2/, () => clayGeometry({ k: 10, m: 3, helpers: 11 }));
    refused(/2048 layers; 1024 is the most/, () => clayGeometry({ k: 20, m: 2, helpers: 21 }));
    refused(/k is 0/, () => clayGeometry({ k: 0, m: 2, helpers: 1 }));
    refused(/m is 300/, () => clayGeometry({ k: 10, m: 300, helpers: 11 }));
    refused(/has 11 to 13/, () =>
      StripeArena.create({ shards: 14, shardBytes: 65_536, clay: { k: 10, m: 4, helpers: 9 } }),
    );
  });

  it('are refused by name, and before anything is written', () => {
    const stripe = { k: 4, m: 2, helpers: 5, bytes: CLAY_BLOCK_BYTES, seed: 5 };
    const shape = shapeOf(stripe);
    const arena = clayArena(stripe);
    const plain = StripeArena.create({ shards: 14, shardBytes: CLAY_BLOCK_BYTES });
    const wide = StripeArena.create({
      shards: 14,
      shardBytes: CLAY_BLOCK_BYTES,
      clay: { k: 4, m: 2, helpers: 5 },
    });
    const arenas = [arena, plain, wide];
    const before = arenas.map(({ memory }) => Uint8Array.from(new Uint8Array(memory.buffer)));
    const from = [1, 2, 3, 4, 5];
    refused(/made without room for a Clay code of 4 \+ 2/, () => plain.encode(shape));
    refused(/made without room for a Clay code of 10 \+ 4/, () =>
      wide.encode({ k: 10, m: 4, helpers: 13, bytes: CLAY_BLOCK_BYTES }),
    );
    refused(/64 bytes cannot be coded by a Clay code: a multiple of 65536/, () =>
      arena.encode({ ...shape, bytes: 64 }),
    );
    refused(/6 helpers: .* has 5 to 5/, () => arena.verify({ ...shape, helpers: 6 }));
    refused(/Plain Reed–Solomon repairs nothing/, () =>
      arena.repair({ ...shape, helpers: 0, lost: 0, from }),
    );
    refused(/lost: shard index 6 is out of range/, () => arena.repair({ ...shape, lost: 6, from }));
    refused(/from: shard 1 is the lost one/, () => arena.repair({ ...shape, lost: 1, from }));
    refused(/from: shard index 1 is given twice/, () =>
      arena.repair({ ...shape, lost: 0, from: [1, 1, 2, 3, 4] }),
    );
    refused(/4 shards help; 5 are needed/, () => arena.repair({ ...shape, lost: 0, from: [1, 2, 3, 4] }));
    refused(/scratch region has 0 bytes/, () => arena.updateParity({ ...shape, index: 0 }));
    for (const [at, { memory }] of arenas.entries()) {
      expect(Buffer.compare(new Uint8Array(memory.buffer), before[at]!)).toBe(0);
    }
  });

  it('are refused by name when it is asked what helpers are to send, and who helps', () => {
    const shape = { k: 4, m: 2, helpers: 5 };
    for (const lost of [-1, 6, 0.5, Number.NaN]) {
      refused(/lost: shard index .* is out of range/, () => repairRange(shape, lost));
      refused(/lost: shard index .* is out of range/, () => repairHelpers(shape, lost, [1, 2, 3, 4, 5]));
    }
    refused(/available: shard index 6 is out of range/, () => repairHelpers(shape, 0, [1, 2, 3, 4, 6]));
    refused(/available: shard index 2 is given twice/, () => repairHelpers(shape, 0, [1, 2, 2, 3, 4]));
  });

  it('name the shard of the lost one’s column that is missing', () => {
    const stripe = { k: 10, m: 4, helpers: 11, bytes: CLAY_BLOCK_BYTES, seed: 5 };
    const arena = clayArena(stripe);
    refused(/shard 2 cannot be repaired without shard 3/, () =>
      arena.repair({ ...shapeOf(stripe), lost: 2, from: [0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12] }),
    );
  });
});
