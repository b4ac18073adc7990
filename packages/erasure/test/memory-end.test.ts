import { describe, expect, it } from 'vitest';
import { StripeArena, supportedVariants } from '../src/index.ts';
import { instantiate, KernelMode, type KernelVariant } from '../src/kernel/kernel.ts';
import { encodeProgram } from '../src/kernel/program-cache.ts';
import { combine, generatorRow } from './reference-code.ts';
import { contents, fill, range } from './stripes.ts';

/**
 * WebAssembly traps on what lies behind its memory, so a kernel that reads or writes one vector too far would fail here,
 * where everywhere else it would touch a gap.
 */

const PAGE = 65_536;
const [K, M, BYTES] = [5, 6, 192];
const [INPUTS, OUTPUTS, TABLES, SHARDS] = [64, 128, 256, 16_384];

/** Runs the kernel on one page of memory, its last shard so many bytes before the end. */
function runAtEnd(variant: KernelVariant, last: 'input' | 'output', before: number): Uint8Array {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const all = new Uint8Array(memory.buffer);
  const address = (index: number): number => SHARDS + index * 1024;
  const addresses = range(0, K + M).map(address);
  addresses[last === 'input' ? K - 1 : K + M - 1] = PAGE - before - BYTES;
  for (const index of range(0, K)) fill(all.subarray(addresses[index]!).subarray(0, BYTES), index + 1);
  const program = encodeProgram(K, M);
  all.set(program.tables, TABLES);
  new Uint32Array(memory.buffer, INPUTS, K).set(addresses.slice(0, K));
  new Uint32Array(memory.buffer, OUTPUTS, M).set(addresses.slice(K));
  const { run } = instantiate(variant, memory);
  for (const mode of [KernelMode.store, KernelMode.verify, KernelMode.add, KernelMode.store]) {
    const differs = run(mode, M, program.xorFirst, K, TABLES, INPUTS, OUTPUTS, BYTES, 64);
    if (mode === KernelMode.verify) expect(differs).toBe(0);
  }
  return all.slice(addresses[K + M - 1]!, addresses[K + M - 1]! + BYTES);
}

describe.each(supportedVariants())('the %s kernel at the end of memory', (variant) => {
  const primaries = range(0, K).map((index) => {
    const shard = new Uint8Array(BYTES);
    fill(shard, index + 1);
    return shard;
  });
  const parity = combine(generatorRow(K, K + M - 1), primaries, BYTES);

  it.each(['input', 'output'] as const)(
    'works up to the last byte of its last %s, and not one behind',
    (last) => {
      expect(runAtEnd(variant, last, 0)).toEqual(parity);
      // That what lies behind does trap, or the line above would say nothing.
      expect(() => runAtEnd(variant, last, -32)).toThrow('memory access out of bounds');
    },
  );
});

/** The first shard length for which the arena leaves that much behind its last slot; 64 bytes change it by 64 a slot. */
function arenaWith(suits: (room: number, shardBytes: number) => boolean): {
  room: number;
  shardBytes: number;
} {
  for (let shardBytes = 64; shardBytes < PAGE; shardBytes += 64) {
    const arena = StripeArena.create({ shards: 3, shardBytes });
    const room = arena.memory.buffer.byteLength - arena.scratch.byteOffset;
    if (suits(room, shardBytes)) return { room, shardBytes };
  }
  throw new Error('There is no such arena.');
}

describe('an arena that fills its last page to the last byte', () => {
  it('uses its last slot, whose gap ends the memory', () => {
    const { shardBytes } = arenaWith((room) => room === 0);
    for (const variant of supportedVariants()) {
      const arena = StripeArena.create({ shards: 3, shardBytes, variant });
      for (const index of [0, 1]) fill(arena.shard(index), index + 1);
      const shape = { k: 2, m: 1, bytes: shardBytes };
      arena.encode(shape);
      expect(arena.verify(shape)).toBe(true);
      const before = contents(arena, [0, 1, 2], shardBytes);
      arena.shard(2).fill(0);
      arena.reconstruct({ ...shape, present: [0, 1], wanted: [2] });
      expect(contents(arena, [0, 1, 2], shardBytes)).toEqual(before);
    }
  });

  it('reads the old content of a shard from scratch that ends the memory', () => {
    const { room, shardBytes } = arenaWith((left, most) => left >= 64 && left <= most);
    for (const variant of supportedVariants()) {
      const arena = StripeArena.create({ shards: 3, shardBytes, scratchBytes: room, variant });
      expect(arena.scratch.byteOffset + room).toBe(arena.memory.buffer.byteLength);
      const shape = { k: 2, m: 1, bytes: room };
      for (const index of [0, 1]) fill(arena.shard(index, room), index + 1);
      arena.encode(shape);
      arena.scratch.set(arena.shard(1, room));
      fill(arena.shard(1, room), 77);
      arena.updateParity({ ...shape, index: 1 });
      expect(arena.verify(shape)).toBe(true);
    }
  });
});
