import { createCipheriv, createHash } from 'node:crypto';
import { HoldfastError } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GearChunker, type GearChunkerOptions } from '../src/chunking/index.ts';

const KEY = Buffer.from('00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef', 'hex');
/** Small limits, so that a property sees many chunks. */
const SMALL = { key: KEY, min: 256, average: 1024, max: 4096 };

const noise = (label: string, length: number): Buffer =>
  createHash('shake256', { outputLength: length }).update(label).digest();

/** Lengths of all chunks, with everything buffered at once. */
function lengths(bytes: Uint8Array, options: GearChunkerOptions): number[] {
  const chunker = new GearChunker(options);
  const result: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = chunker.cut(bytes.subarray(at), true)!;
    result.push(length);
    at += length;
  }
  return result;
}

/** The same with a buffer that grows and is emptied as `pieces` says. */
function lengthsInPieces(bytes: Uint8Array, options: GearChunkerOptions, pieces: () => number): number[] {
  const chunker = new GearChunker(options);
  const result: number[] = [];
  let start = 0;
  let end = 0;
  while (start < bytes.length) {
    const length = chunker.cut(Uint8Array.from(bytes.subarray(start, end)), end === bytes.length);
    if (length === null) end = Math.min(end + pieces(), bytes.length);
    else {
      result.push(length);
      start += length;
    }
  }
  return result;
}

const borders = (chunks: readonly number[]): number[] => {
  let at = 0;
  return chunks.map((length) => (at += length));
};

/** Content with structure: runs, repeats and noise. */
const contents = (): fc.Arbitrary<Buffer> =>
  fc
    .array(
      fc.oneof(
        fc
          .record({ label: fc.string(), length: fc.nat(9000) })
          .map(({ label, length }) => noise(label, length)),
        fc
          .record({ byte: fc.nat(255), length: fc.nat(6000) })
          .map(({ byte, length }) => Buffer.alloc(length, byte)),
        fc
          .record({ text: fc.string({ minLength: 1 }), times: fc.nat(300) })
          .map(({ text, times }) => Buffer.from(text.repeat(times))),
      ),
      { maxLength: 6 },
    )
    .map((parts) => Buffer.concat(parts));

describe('chunks', () => {
  it('cover the content, none but the last shorter than min and none longer than max', () => {
    fc.assert(
      fc.property(contents(), (bytes) => {
        const chunks = lengths(bytes, SMALL);
        expect(chunks.reduce((sum, length) => sum + length, 0)).toBe(bytes.length);
        for (const length of chunks) expect(length).toBeLessThanOrEqual(SMALL.max);
        for (const length of chunks) expect(length).toBeGreaterThan(0);
        for (const length of chunks.slice(0, -1)) expect(length).toBeGreaterThanOrEqual(SMALL.min);
      }),
    );
  });

  it('are the same however the content is buffered', () => {
    fc.assert(
      fc.property(
        contents(),
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }),
        (bytes, sizes) => {
          let turn = 0;
          expect(lengthsInPieces(bytes, SMALL, () => sizes[turn++ % sizes.length]!)).toEqual(
            lengths(bytes, SMALL),
          );
        },
      ),
    );
  });

  it('are those of the specification, computed plainly', () => {
    fc.assert(
      fc.property(contents(), (bytes) => {
        expect(lengths(bytes, SMALL)).toEqual(plainLengths(bytes));
      }),
      { numRuns: 30 },
    );
  });

  it('are the same again soon after an insertion, a deletion or an overwrite', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(30_000), fc.nat(3000), fc.nat(3000), (label, at, gone, added) => {
        const before = noise(label, 80_000);
        const after = Buffer.concat([
          before.subarray(0, at),
          noise('new', added),
          before.subarray(at + gone),
        ]);
        const shift = after.length - before.length;
        const old = borders(lengths(before, SMALL)).filter((border) => border > at + gone);
        const shifted = new Set(borders(lengths(after, SMALL)).map((border) => border - shift));
        const lost = old.findIndex((border) => shifted.has(border));
        // Borders fall in step again within a few chunks, and stay so.
        expect(lost).toBeGreaterThanOrEqual(0);
        expect(lost).toBeLessThan(30);
        for (const border of old.slice(lost)) expect(shifted.has(border)).toBe(true);
      }),
    );
  });

  it('of random content have the average length, at every proportion of the limits', () => {
    const bytes = noise('distribution', 8_000_000);
    for (const [min, average, max] of [
      [256, 1024, 4096],
      [512, 1024, 4096],
      [64, 1024, 8192],
      [256, 1024, 2048],
    ] as const) {
      const chunks = lengths(bytes, { key: KEY, min, average, max }).slice(0, -1);
      const mean = chunks.reduce((sum, length) => sum + length, 0) / chunks.length;
      expect(Math.abs(mean / average - 1)).toBeLessThan(0.05);
      const near = chunks.filter((length) => length > average / 2 && length < 2 * average).length;
      expect(near / chunks.length).toBeGreaterThan(0.6);
    }
  });

  it('of constant content are all equally long, most of them max', () => {
    let longest = 0;
    for (let byte = 0; byte < 256; byte++) {
      const chunks = lengths(Buffer.alloc(3 * SMALL.max, byte), SMALL).slice(0, -1);
      expect(new Set(chunks).size).toBe(1);
      if (chunks[0] === SMALL.max) longest++;
    }
    expect(longest).toBeGreaterThan(240);
  });

  it('depend on the key', () => {
    const bytes = noise('key', 100_000);
    const other = borders(lengths(bytes, { ...SMALL, key: Buffer.alloc(32, 1) }));
    const common = borders(lengths(bytes, SMALL)).filter((border) => other.includes(border));
    expect(common.length).toBeLessThan(4);
  });

  it('read from shared memory', () => {
    const bytes = noise('shared', 20_000);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    expect(lengths(shared, SMALL)).toEqual(lengths(bytes, SMALL));
  });
});

/** docs/specs/chunking.md once more, in BigInt, without skipping anything. */
function plainLengths(bytes: Uint8Array): number[] {
  const table = plainTable();
  const result: number[] = [];
  const { min, average, max } = SMALL;
  const normal = Math.floor((57 * average - 16 * min) / 64);
  for (let start = 0; start < bytes.length; ) {
    const most = Math.min(max, bytes.length - start);
    let length = min;
    while (
      length < most &&
      !isBorder(bytes, start + length, table, length < normal ? 4 * average : average / 4)
    )
      length++;
    result.push(Math.min(length, most));
    start += Math.min(length, most);
  }
  return result;
}

/** Counter mode by hand: the encrypted blocks `holdfast gear v1` + 0, 1, 2, … */
function plainTable(): bigint[] {
  const first = BigInt(`0x${Buffer.from('holdfast gear v1').toString('hex')}`);
  const blocks = Array.from({ length: 128 }, (_, i) => (first + BigInt(i)).toString(16).padStart(32, '0'));
  const stream = createCipheriv('aes-256-ecb', KEY, null).update(Buffer.from(blocks.join(''), 'hex'));
  return Array.from({ length: 256 }, (_, i) => stream.readBigUInt64LE(8 * i));
}

/** Whether the hash of the 64 bytes before `end` is below 2^64 / oneIn. */
function isBorder(bytes: Uint8Array, end: number, table: readonly bigint[], oneIn: number): boolean {
  let hash = 0n;
  for (let i = 0; i < 64; i++) hash += table[bytes[end - 1 - i]!]! << BigInt(i);
  return BigInt.asUintN(64, hash) < (1n << 64n) / BigInt(oneIn);
}

describe('a chunker', () => {
  it('asks for more until it can tell, and then goes on afresh', () => {
    const bytes = noise('more', 10_000);
    const [first, second] = lengths(bytes, SMALL);
    const chunker = new GearChunker(SMALL);
    expect(chunker.cut(bytes.subarray(0, 0), false)).toBe(null);
    for (let seen = 0; seen < first!; seen += 7)
      expect(chunker.cut(bytes.subarray(0, seen), false)).toBe(null);
    expect(chunker.cut(bytes.subarray(0, first), false)).toBe(first);
    expect(chunker.cut(bytes.subarray(first), false)).toBe(second);
    expect(chunker.cut(bytes.subarray(0, 5), true)).toBe(5);
    expect(chunker.cut(bytes.subarray(0, 0), true)).toBe(0);
  });

  it('can give up a chunk', () => {
    const bytes = Buffer.alloc(3000, 1);
    const chunker = new GearChunker(SMALL);
    expect(chunker.cut(bytes, false)).toBe(null);
    expect(() => chunker.cut(bytes.subarray(1), false)).toThrow(/3000 bytes were seen now has 2999/);
    chunker.reset();
    const other = noise('other', 10_000);
    expect(chunker.cut(other, false)).toBe(lengths(other, SMALL)[0]);
  });

  it('refuses limits that do not go together and keys of a wrong length', () => {
    const bad: Partial<GearChunkerOptions>[] = [
      { min: 63 },
      { min: 600, average: 1024 },
      { average: 1024, max: 2047 },
      { min: 256.5 },
      { max: 2 ** 31 },
      { min: Number.NaN },
      { key: new Uint8Array(31) },
    ];
    for (const options of bad) {
      try {
        new GearChunker({ ...SMALL, ...options });
        expect.unreachable(JSON.stringify(options));
      } catch (error) {
        expect(HoldfastError.is(error, 'USAGE')).toBe(true);
      }
    }
  });
});
