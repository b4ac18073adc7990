import { displayPath } from '@holdfast/contracts';
import { type CborValue, encodeCanonical } from './cbor.ts';
import type { Extent } from './extents.ts';
import {
  bytesOf,
  checked,
  type FieldReader,
  oneOf,
  orNull,
  refuse,
  textOf,
  tupleOf,
  uint,
} from './fields.ts';
import {
  type EncodedObject,
  encodeOnce,
  extentsFromCbor,
  extentsToCbor,
  type ObjectRecord,
  objectFromCbor,
} from './object-record.ts';
import { listWithLength, withLength } from './records.ts';

export type CacheRecord =
  | { readonly type: 'object'; readonly object: ObjectRecord; readonly fingerprint: string | null }
  /** Of the object before. */
  | { readonly type: 'extents'; readonly extents: Extent[] }
  /** Of the object before: 16 bytes a block, back to back, in the order of the blocks. */
  | { readonly type: 'blocks'; readonly hashes: Uint8Array }
  /** Of the object before, which is cut by rows: where its groups stand in the row ledger, in bytes of that file. */
  | { readonly type: 'rows'; readonly start: number; readonly end: number };

export const BLOCK_HASH_BYTES = 16;
/** In one record. */
export const MAX_CACHE_BLOCKS = 32_768;
const MAX_FINGERPRINT = 4096;
const CHECKSUM_BYTES = 32;

const OBJECT = 0;
const OBJECT_BYTES = encodeCanonical(OBJECT);
const EXTENTS = 1;
const BLOCKS = 2;
const END = 3;
const ROWS = 4;

export function encodeCacheObject(
  object: ObjectRecord | EncodedObject,
  fingerprint: string | null,
): Uint8Array {
  const { path, bytes } = 'bytes' in object ? object : encodeOnce(object);
  const what = `the cache's record of ${displayPath(path)}`;
  const print = encodeCanonical(checked(fingerprint, what, fingerprintFromCbor));
  return listWithLength([OBJECT_BYTES, bytes, print], what);
}

/**
 * Whether a record's body is that of extents, told by its first bytes (a list of two, and the kind): for who wants no more of a
 * cache than these.
 */
export const isExtents = (body: Uint8Array): boolean => body[0] === 0x82 && body[1] === EXTENTS;

/** 1 to `MAX_EXTENTS` of them. */
export function encodeCacheExtents(extents: readonly Extent[]): Uint8Array {
  return encode([EXTENTS, extentsToCbor(extents)], 'extents');
}

/** @param hashes 16 bytes for each of 1 to `MAX_CACHE_BLOCKS` blocks. */
export function encodeCacheBlocks(hashes: Uint8Array): Uint8Array {
  return encode([BLOCKS, hashes], 'block hashes');
}

export function encodeCacheRows(start: number, end: number): Uint8Array {
  return encode([ROWS, start, end], 'rows');
}

/** The last record. @param checksum SHA-256 of the whole file before it. */
export function encodeCacheEnd(checksum: Uint8Array): Uint8Array {
  return encode([END, checksum], 'its checksum');
}

/** Every last record is this long: the length, a list of two, the kind, and the head of a byte string before it. */
export const CACHE_END_BYTES = 1 + 1 + 1 + 2 + CHECKSUM_BYTES;

/** For use within a field reader. Null is the last record. */
export const cacheRecordFromCbor: FieldReader<CacheRecord | null> = (value) => {
  switch (Array.isArray(value) ? value[0] : null) {
    case EXTENTS:
      return { type: 'extents', extents: extentColumns(value)[1] };
    case BLOCKS:
      return { type: 'blocks', hashes: blockColumns(value)[1] };
    case ROWS: {
      const [, start, end] = rowColumns(value);
      return { type: 'rows', start, end };
    }
    case END:
      endColumns(value);
      return null;
    default: {
      const [, object, fingerprint] = objectColumns(value);
      return { type: 'object', object, fingerprint };
    }
  }
};

const fingerprintFromCbor = orNull(textOf(MAX_FINGERPRINT));
const objectColumns = tupleOf(oneOf(OBJECT), objectFromCbor, fingerprintFromCbor);
const extentColumns = tupleOf(oneOf(EXTENTS), extentsFromCbor);
const endColumns = tupleOf(oneOf(END), bytesOf(CHECKSUM_BYTES));

const rowFields = tupleOf(oneOf(ROWS), uint(), uint());
const rowColumns: typeof rowFields = (value) => {
  const columns = rowFields(value);
  return columns[1] <= columns[2] ? columns : refuse('ends before it begins');
};

const hashBytes = bytesOf(BLOCK_HASH_BYTES, BLOCK_HASH_BYTES * MAX_CACHE_BLOCKS);
const hashes: FieldReader<Uint8Array> = (value) => {
  const bytes = hashBytes(value);
  return bytes.length % BLOCK_HASH_BYTES === 0 ? bytes : refuse('ends inside the hash of a block');
};
const blockColumns = tupleOf(oneOf(BLOCKS), hashes);

function encode(value: CborValue, what: string): Uint8Array {
  const named = `the cache's record of ${what}`;
  return withLength(encodeCanonical(checked(value, named, cacheRecordFromCbor)), named);
}
