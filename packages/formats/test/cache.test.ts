import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CacheChecksum,
  CacheExtentsReader,
  type CacheHeader,
  type CacheRecord,
  CacheVerifier,
  cacheReader,
  type Extent,
  encodeCacheBlocks,
  encodeCacheExtents,
  encodeCacheHeader,
  encodeCacheObject,
  encodeCacheRows,
  MAX_CACHE_BLOCKS,
} from '../src/index.ts';
import { anyBytes, mutated, safeUint, text } from './arbitraries.ts';
import { objectWithExtents, snapshotId } from './format-arbitraries.ts';
import { checkHostileInput } from './hostile.ts';

interface Cache {
  header: CacheHeader;
  records: CacheRecord[];
}

const blocks = fc.array(
  fc.integer({ min: 1, max: 5 }).map((n) => new Uint8Array(n * 16).fill(n)),
  { maxLength: 2 },
);

const cache: fc.Arbitrary<Cache> = fc.record({
  header: fc.record({ snapshot: snapshotId, sequence: safeUint }),
  records: fc
    .array(fc.tuple(objectWithExtents, fc.option(text()), blocks), { maxLength: 4 })
    .map((objects) =>
      objects.flatMap(([{ object, lists }, fingerprint, hashes]): CacheRecord[] => [
        { type: 'object', object, fingerprint },
        ...lists.map((extents): CacheRecord => ({ type: 'extents', extents })),
        ...hashes.map((slice): CacheRecord => ({ type: 'blocks', hashes: slice })),
        ...hashes.map((slice): CacheRecord => ({ type: 'rows', start: slice.length, end: 2 ** 52 })),
      ]),
    ),
});

function encodeRecord(record: CacheRecord): Uint8Array {
  if (record.type === 'object') return encodeCacheObject(record.object, record.fingerprint);
  if (record.type === 'rows') return encodeCacheRows(record.start, record.end);
  return record.type === 'extents' ? encodeCacheExtents(record.extents) : encodeCacheBlocks(record.hashes);
}

function encode({ header, records }: Cache): Uint8Array {
  const checksum = new CacheChecksum();
  const pieces = [encodeCacheHeader(header), ...records.map(encodeRecord)];
  for (const piece of pieces) checksum.update(piece);
  return Buffer.concat([...pieces, checksum.end()]);
}

/** With the checksum that makes any bytes a whole file. */
function sealed(bytes: Uint8Array): Uint8Array {
  const checksum = new CacheChecksum();
  checksum.update(bytes);
  return Buffer.concat([bytes, checksum.end()]);
}

const TRAILER = sealed(Buffer.alloc(0)).length;

const piecesOf = (bytes: Uint8Array, length: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) =>
    bytes.subarray(i * length, (i + 1) * length),
  );

function decode(bytes: Uint8Array, pieceLength = 50): Cache {
  const reader = cacheReader();
  const records = piecesOf(bytes, pieceLength).flatMap((piece) => reader.push(piece));
  records.push(...reader.end());
  return { header: reader.header!, records };
}

function extentsIn(bytes: Uint8Array, pieceLength = 50): Extent[] {
  const reader = new CacheExtentsReader();
  const extents = piecesOf(bytes, pieceLength).flatMap((piece) => reader.push(piece));
  reader.end();
  return extents;
}

function isWhole(bytes: Uint8Array, pieceLength = 50): boolean {
  const verifier = new CacheVerifier();
  for (const piece of piecesOf(bytes, pieceLength)) verifier.push(piece);
  return verifier.end();
}

describe('the cache file', () => {
  it('gives back what was written, however it is cut', () => {
    fc.assert(
      fc.property(cache, fc.integer({ min: 1, max: 2000 }), (value, pieceLength) => {
        const bytes = encode(value);
        expect(isWhole(bytes, pieceLength)).toBe(true);
        expect(decode(bytes, pieceLength)).toEqual(value);
      }),
    );
  });

  it('gives its extents alone to who wants no more', () => {
    fc.assert(
      fc.property(cache, fc.integer({ min: 1, max: 2000 }), (value, pieceLength) => {
        const all = value.records.flatMap((record) => (record.type === 'extents' ? record.extents : []));
        expect(extentsIn(encode(value), pieceLength)).toEqual(all);
      }),
    );
  });

  it('gives no extents of hostile bytes, or ends without saying that they are whole', () => {
    const input = fc.oneof(anyBytes, mutated(cache.map(encode)));
    fc.assert(
      fc.property(input, (bytes) => {
        if (isWhole(bytes)) extentsIn(bytes);
        else expect(() => extentsIn(bytes)).toThrow(expect.objectContaining({ code: 'FORMAT_INVALID' }));
      }),
      { numRuns: 500 },
    );
  });

  it('refuses hostile bytes', () => {
    checkHostileInput(cache.map(encode), (bytes) => decode(bytes), encode, 500);
  });

  it('refuses hostile bytes even under a good checksum', () => {
    const torso = cache.map((value) => encode(value).subarray(0, -TRAILER));
    checkHostileInput(
      torso,
      (bytes) => decode(sealed(bytes)),
      (value) => encode(value).subarray(0, -TRAILER),
      2000,
    );
  });

  it('ends at its first checksum', () => {
    const header = encodeCacheHeader({ snapshot: fc.sample(snapshotId, 1)[0]!, sequence: 1 });
    expect(decode(sealed(header)).records).toEqual([]);
    expect(() => decode(sealed(sealed(header)))).toThrow(/goes on behind its checksum/);
  });

  it('counts as absent wherever it was torn, and whatever bit has changed', () => {
    const [value] = fc.sample(
      cache.filter(({ records }) => records.length > 3),
      { numRuns: 1, seed: 2 },
    );
    const bytes = encode(value!);
    for (let length = 0; length < bytes.length; length++) {
      const torn = bytes.subarray(0, length);
      expect(isWhole(torn)).toBe(false);
      expect(() => decode(torn)).toThrow(expect.objectContaining({ code: 'FORMAT_INVALID' }));
      const changed = Uint8Array.from(bytes);
      changed[length]! ^= 4;
      expect(isWhole(changed)).toBe(false);
      expect(() => decode(changed)).toThrow(expect.objectContaining({ name: 'HoldfastError' }));
    }
    expect(() => decode(Buffer.concat([bytes, bytes.subarray(-10)]))).toThrow();
  });

  it('names a version that it does not know', () => {
    const bytes = encode({ header: { snapshot: fc.sample(snapshotId, 1)[0]!, sequence: 1 }, records: [] });
    bytes[4] = 2;
    expect(() => decode(bytes)).toThrow(expect.objectContaining({ code: 'FORMAT_VERSION' }));
  });

  it('takes block hashes in whole blocks, up to its limit', () => {
    expect(encodeCacheBlocks(new Uint8Array(16 * MAX_CACHE_BLOCKS)).length).toBeGreaterThan(
      16 * MAX_CACHE_BLOCKS,
    );
    for (const length of [0, 15, 17, 16 * MAX_CACHE_BLOCKS + 16]) {
      expect(() => encodeCacheBlocks(new Uint8Array(length))).toThrow(
        expect.objectContaining({ name: 'HoldfastError' }),
      );
    }
  });
});
