import { Worker } from 'node:worker_threads';
import { HoldfastError } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StripeArena, supportedVariants } from '../src/index.ts';
import { arenaOf, fill, range, stripes } from './stripes.ts';

const KiB = 1024;

/** Every byte of the memory that lies in no slot, or in a slot but past `bytes`, and is not for the kernel itself. */
function guards(arena: StripeArena, shards: number, bytes: number): Uint8Array[] {
  const all = new Uint8Array(arena.memory.buffer);
  const scratch = arena.scratch.byteOffset;
  return range(0, shards).map((index) => {
    const end = index + 1 < shards ? arena.shardOffset(index + 1) : scratch;
    return all.subarray(arena.shardOffset(index) + bytes, end);
  });
}

describe('an arena', () => {
  it('writes nothing outside of the shards it is to make', () => {
    fc.assert(
      fc.property(stripes(), (stripe) => {
        const { k, m, bytes } = stripe;
        for (const variant of supportedVariants()) {
          const arena = arenaOf(stripe, variant, 128);
          const zones = [...guards(arena, k + m, bytes), arena.scratch];
          for (const zone of zones) zone.fill(0xa5);
          arena.encode({ k, m, bytes });
          arena.verify({ k, m, bytes });
          const lost = range(0, Math.min(k, m));
          arena.reconstruct({ k, m, bytes, present: range(lost.length, k + m), wanted: lost });
          for (const zone of zones) expect(zone.every((byte) => byte === 0xa5)).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('reads nothing outside of the shards it is given', () => {
    const [k, m, bytes] = [5, 4, 192];
    const one = arenaOf({ k, m, bytes, seed: 1 });
    const other = arenaOf({ k, m, bytes, seed: 1 });
    for (const zone of guards(other, k + m, bytes)) fill(zone, 77);
    one.encode({ k, m, bytes });
    other.encode({ k, m, bytes });
    for (const index of range(k, k + m)) expect(other.shard(index)).toEqual(one.shard(index));
  });

  it('works on in memory that another thread has left, and in no other', () => {
    const size = { shards: 5, shardBytes: 64 * KiB, scratchBytes: 100 };
    const shape = { k: 3, m: 2, bytes: 64 * KiB };
    const left = StripeArena.create(size);
    for (const index of range(0, 3)) fill(left.shard(index), index + 1);
    left.encode(shape);
    left.scratch.fill(7);
    const arena = StripeArena.create({ ...size, memory: left.memory });
    expect(arena.memory).toBe(left.memory);
    expect(arena.scratch).toEqual(Buffer.alloc(100, 7));
    expect(arena.verify(shape)).toBe(true);
    arena.reconstruct({ ...shape, present: [0, 3, 4], wanted: [1, 2] });
    arena.encode(shape);
    expect(left.verify(shape)).toBe(true);
    for (const shards of [4, 6]) {
      expect(() => StripeArena.create({ ...size, shards, memory: left.memory })).toThrow(
        expect.objectContaining({ code: 'CODE_PARAMETERS' }),
      );
    }
  });

  it('has slots 64-byte aligned, apart, and a memory of just the pages needed', () => {
    for (const [shards, shardBytes] of [
      [255, 64 * KiB],
      [40, KiB * KiB],
      [6, 128 * KiB],
      [1, 64],
    ] as const) {
      const arena = StripeArena.create({ shards, shardBytes, scratchBytes: 100 });
      const last = arena.scratch.byteOffset + 100;
      expect(arena.memory.buffer.byteLength).toBe(Math.ceil(last / 65_536) * 65_536);
      expect(() => arena.memory.grow(1)).toThrow();
      for (const index of range(0, shards)) {
        expect(arena.shardOffset(index) % 64).toBe(0);
        expect(arena.shard(index)).toHaveLength(shardBytes);
        expect(arena.shard(index).byteOffset).toBe(arena.shardOffset(index));
      }
      expect(arena.scratch.byteOffset % 64).toBe(0);
      expect(arena.scratch).toHaveLength(100);
    }
  });

  it('lets another thread fill and read shards in place', async () => {
    const arena = arenaOf({ k: 2, m: 1, bytes: 64, seed: 1 });
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      new Uint8Array(workerData.buffer, workerData.offset, 64).fill(9);
      parentPort.postMessage('done');`;
    const workerData = { buffer: arena.memory.buffer, offset: arena.shardOffset(0) };
    await new Promise((resolve, reject) => {
      new Worker(code, { eval: true, workerData }).on('message', resolve).on('error', reject);
    });
    expect(arena.shard(0).every((byte) => byte === 9)).toBe(true);
  });

  it('uses the fastest variant unless told otherwise', () => {
    expect(supportedVariants()).toEqual(['relaxed', 'simd', 'scalar']);
    expect(StripeArena.create({ shards: 2, shardBytes: 64 }).variant).toBe('relaxed');
    expect(StripeArena.create({ shards: 2, shardBytes: 64, variant: 'scalar' }).variant).toBe('scalar');
  });
});

function refusal(code: string, message: RegExp, act: () => unknown): void {
  try {
    act();
  } catch (error) {
    expect(HoldfastError.is(error)).toBe(true);
    expect((error as HoldfastError).code).toBe(code);
    expect((error as HoldfastError).message).toMatch(message);
    return;
  }
  throw new Error(`not refused: ${message}`);
}

describe('bad arguments', () => {
  it('are refused by name when an arena is made', () => {
    for (const shards of [0, 256, 1.5, Number.NaN]) {
      refusal('CODE_PARAMETERS', /1 to 255 slots/, () => StripeArena.create({ shards, shardBytes: 64 }));
    }
    for (const shardBytes of [0, 63, 65, -64, Number.NaN, 2 ** 40]) {
      refusal('CODE_PARAMETERS', /multiple of 64/, () => StripeArena.create({ shards: 3, shardBytes }));
    }
    refusal('CODE_PARAMETERS', /4 GiB/, () =>
      StripeArena.create({ shards: 255, shardBytes: 64 * KiB * KiB }),
    );
    refusal('CODE_PARAMETERS', /scratch/, () =>
      StripeArena.create({ shards: 3, shardBytes: 64, scratchBytes: -1 }),
    );
    const variant = 'gfni' as 'simd';
    refusal('CODE_PARAMETERS', /gfni/, () => StripeArena.create({ shards: 3, shardBytes: 64, variant }));
  });

  it('are refused by name, and before anything is written', () => {
    const arena = arenaOf({ k: 4, m: 2, bytes: 128, seed: 5 }, undefined, 64);
    const before = Uint8Array.from(new Uint8Array(arena.memory.buffer));
    const good = { k: 4, m: 2, bytes: 128 };
    const present = [0, 1, 2, 3];
    const parameters = (message: RegExp, act: () => unknown) => refusal('CODE_PARAMETERS', message, act);

    parameters(/k is 0/, () => arena.encode({ ...good, k: 0 }));
    parameters(/k is 256/, () => arena.encode({ ...good, k: 256 }));
    parameters(/m is -1/, () => arena.encode({ ...good, m: -1 }));
    parameters(/m is 252/, () => arena.encode({ ...good, m: 252 }));
    parameters(/4 \+ 3 .* arena of 6/, () => arena.verify({ ...good, m: 3 }));
    parameters(/100 bytes/, () => arena.encode({ ...good, bytes: 100 }));
    parameters(/192 bytes/, () => arena.encode({ ...good, bytes: 192 }));
    parameters(/present: .* 6 is out of range/, () =>
      arena.reconstruct({ ...good, present: [0, 1, 2, 6], wanted: [3] }),
    );
    parameters(/present: .* -1 is out/, () =>
      arena.reconstruct({ ...good, present: [0, 1, 2, -1], wanted: [3] }),
    );
    parameters(/present: .* 2 is given twice/, () =>
      arena.reconstruct({ ...good, present: [0, 2, 2, 1], wanted: [3] }),
    );
    parameters(/wanted: .* 6 is out/, () => arena.reconstruct({ ...good, present, wanted: [6] }));
    parameters(/wanted: .* 4 is given twice/, () => arena.reconstruct({ ...good, present, wanted: [4, 4] }));
    parameters(/wanted: shard 3 is also/, () => arena.reconstruct({ ...good, present, wanted: [4, 3] }));
    refusal('TOO_FEW_SHARDS', /3 shards .* 4 are needed/, () =>
      arena.reconstruct({ ...good, present: [0, 1, 5], wanted: [3] }),
    );
    parameters(/no primary shard 4/, () => arena.updateParity({ ...good, index: 4 }));
    parameters(/scratch region has 64 bytes/, () => arena.updateParity({ ...good, index: 0 }));
    parameters(/no slot 6/, () => arena.shard(6));
    parameters(/128 bytes, not 129/, () => arena.shard(0, 129));
    expect(Buffer.compare(new Uint8Array(arena.memory.buffer), before)).toBe(0);
  });
});
