import { HoldfastError } from '@holdfast/contracts';
import {
  CACHE_HEADER_BYTES,
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
} from '@holdfast/formats';
import { ENCODERS } from '../../../../packages/formats/test/compat-values.ts';
import { objectWithExtents, snapshotId } from '../../../../packages/formats/test/format-arbitraries.ts';
import { decoder, RECORDS, type Target, Violation } from '../target.ts';
import { samples } from './samples.ts';

interface Cache {
  readonly header: CacheHeader;
  readonly records: readonly CacheRecord[];
}

const END_BYTES = new CacheChecksum().end().length;

/** The owner's own file, which may have rotted or been torn. */
export const cacheTargets: readonly Target[] = [
  decoder({
    name: 'cache',
    seeds: cacheFiles,
    decode: readCache,
    encode: (value) => withSum(encode(value)),
    repair,
    // Read three times over: whole, its extents alone, and once more when it is refused.
    allocation: { base: 3 * RECORDS.base, perByte: 3 * RECORDS.perByte },
  }),
];

function readCache(input: Uint8Array): Cache {
  const reader = cacheReader();
  const cut = input.length === 0 ? 0 : (input[input.length >> 1]! * 257) % input.length;
  const pieces = [input.subarray(0, cut), input.subarray(cut)];
  const whole = isWhole(pieces);
  try {
    const records = [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
    if (!whole) throw new Violation('It was read to its end though it is not whole.');
    const expected = records.flatMap((record) => (record.type === 'extents' ? record.extents : []));
    if (JSON.stringify(extentsIn(pieces)) !== JSON.stringify(expected))
      throw new Violation('Its extents alone are others than among all records.');
    return { header: reader.header!, records };
  } catch (error) {
    if (!whole) requireRefusal(pieces);
    throw error;
  }
}

function isWhole(pieces: readonly Uint8Array[]): boolean {
  const verifier = new CacheVerifier();
  for (const piece of pieces) verifier.push(piece);
  return verifier.end();
}

function extentsIn(pieces: readonly Uint8Array[]): Extent[] {
  const reader = new CacheExtentsReader();
  const extents = pieces.flatMap((piece) => reader.push(piece));
  reader.end();
  return extents;
}

function requireRefusal(pieces: readonly Uint8Array[]): void {
  try {
    extentsIn(pieces);
  } catch (error) {
    if (HoldfastError.is(error, 'FORMAT_INVALID')) return;
    throw error;
  }
  throw new Violation('Its extents were read to the end though it is not whole.');
}

function cacheFiles(): Uint8Array[] {
  const [snapshot] = samples(snapshotId, 1);
  const files = samples(objectWithExtents, 30).map(({ object, lists }, i) =>
    encode({
      header: { snapshot: snapshot!, sequence: i },
      records: [
        { type: 'object', object, fingerprint: i % 2 === 0 ? null : `print ${i}` },
        ...lists.map((extents): CacheRecord => ({ type: 'extents', extents })),
        { type: 'blocks', hashes: new Uint8Array(16 * (1 + (i % 3))).fill(i) },
      ],
    }),
  );
  return [ENCODERS.cache!(), ...files.map(withSum)];
}

function encode({ header, records }: Cache): Uint8Array {
  return Buffer.concat([encodeCacheHeader(header), ...records.map(encodeRecord)]);
}

function encodeRecord(record: CacheRecord): Uint8Array {
  if (record.type === 'object') return encodeCacheObject(record.object, record.fingerprint);
  if (record.type === 'rows') return encodeCacheRows(record.start, record.end);
  return record.type === 'extents' ? encodeCacheExtents(record.extents) : encodeCacheBlocks(record.hashes);
}

function withSum(bytes: Uint8Array): Uint8Array {
  const checksum = new CacheChecksum();
  checksum.update(bytes);
  return Buffer.concat([bytes, checksum.end()]);
}

function repair(input: Uint8Array): Uint8Array {
  return input.length < CACHE_HEADER_BYTES + END_BYTES ? input : withSum(input.subarray(0, -END_BYTES));
}
