import { createHash } from 'node:crypto';
import { bytesToUuid, HoldfastError, type SnapshotId, uuidToBytes } from '@holdfast/contracts';
import {
  CACHE_END_BYTES,
  type CacheRecord,
  cacheRecordFromCbor,
  encodeCacheEnd,
  isExtents,
} from './cache-records.ts';
import { decodeCanonical } from './cbor.ts';
import { ContentCheck } from './content-check.ts';
import type { Extent } from './extents.ts';
import { type FieldReader, readFields, refuse } from './fields.ts';
import { MAX_RECORD_BYTES, RecordReader } from './records.ts';

/** Of which snapshot the cache remembers the objects. */
export interface CacheHeader {
  readonly snapshot: SnapshotId;
  readonly sequence: number;
}

/** `HFCA`, version, three zeros, the sequence as u64, the snapshot's id. */
export const CACHE_HEADER_BYTES = 32;
const MAGIC = 'HFCA';
const VERSION = 1;
const WHAT = 'the cache';

export function encodeCacheHeader({ snapshot, sequence }: CacheHeader): Uint8Array {
  const header = Buffer.alloc(CACHE_HEADER_BYTES);
  header.write(MAGIC, 'latin1');
  header[4] = VERSION;
  header.writeBigUInt64BE(BigInt(sequence), 8);
  header.set(uuidToBytes(snapshot), 16);
  return header;
}

function decodeCacheHeader(header: Buffer): CacheHeader {
  if (header.toString('latin1', 0, 4) !== MAGIC) throw invalid(`does not begin with ${MAGIC}`);
  if (header[4] !== VERSION)
    throw new HoldfastError('FORMAT_VERSION', `${WHAT} has version ${header[4]}, not ${VERSION}`);
  if (header.readUIntBE(5, 3) !== 0) throw invalid('has a reserved byte that is not zero');
  const sequence = header.readBigUInt64BE(8);
  if (sequence > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid('has a sequence beyond the safe integers');
  return { snapshot: bytesToUuid(header.subarray(16)) as SnapshotId, sequence: Number(sequence) };
}

/** For the writer: everything written passes through `update`, and `end` gives the last record. */
export class CacheChecksum {
  readonly #hash = createHash('sha256');

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  end(): Uint8Array {
    return encodeCacheEnd(this.#hash.digest());
  }
}

/**
 * Tells whether a file is whole, at the speed of SHA-256: records that `CacheReader` gives are not vouched for before
 * its `end`, so whoever cannot take them back asks here first.
 */
export class CacheVerifier {
  readonly #sum = new CacheChecksum();
  /** Perhaps the last record, which the checksum does not cover. */
  #tail: Uint8Array = new Uint8Array(0);

  push(bytes: Uint8Array): void {
    const covered = this.#tail.length + bytes.length - CACHE_END_BYTES;
    if (covered <= 0) {
      this.#tail = Buffer.concat([this.#tail, bytes]);
      return;
    }
    const fromTail = Math.min(covered, this.#tail.length);
    this.#sum.update(this.#tail.subarray(0, fromTail));
    this.#sum.update(bytes.subarray(0, covered - fromTail));
    this.#tail = Buffer.concat([this.#tail.subarray(fromTail), bytes.subarray(covered - fromTail)]);
  }

  /** Once, after the last piece. */
  end(): boolean {
    return Buffer.compare(this.#tail, this.#sum.end()) === 0;
  }
}

/** Reads a cache file piece by piece. FORMAT_INVALID or FORMAT_VERSION: then there is no cache, and nothing is lost. */
export class CacheReader {
  readonly #verifier = new CacheVerifier();
  readonly #records: RecordReader<CacheRecord | null>;
  readonly #headerBytes = Buffer.alloc(CACHE_HEADER_BYTES);
  #headerFilled = 0;
  #header: CacheHeader | null = null;
  #ended = false;

  constructor() {
    const content = new ContentCheck(WHAT);
    const read: FieldReader<CacheRecord | null> = (value) => {
      if (this.#ended) refuse('goes on behind its checksum');
      const record = cacheRecordFromCbor(value);
      if (record === null) this.#ended = true;
      else if (record.type === 'object') content.begin(record.object);
      else if (record.type === 'extents') content.add(record.extents);
      else content.requireObject();
      return record;
    };
    this.#records = new RecordReader(
      WHAT,
      (body) =>
        readFields(
          decodeCanonical(body, { what: `a record of ${WHAT}`, maxBytes: MAX_RECORD_BYTES }),
          WHAT,
          read,
        ),
      () => content.finish(),
    );
  }

  /** Null until its bytes have come. */
  get header(): CacheHeader | null {
    return this.#header;
  }

  /** `bytes` is borrowed for the call only. */
  push(bytes: Uint8Array): CacheRecord[] {
    this.#verifier.push(bytes);
    const taken = Math.min(CACHE_HEADER_BYTES - this.#headerFilled, bytes.length);
    this.#headerBytes.set(bytes.subarray(0, taken), this.#headerFilled);
    this.#headerFilled += taken;
    if (this.#headerFilled < CACHE_HEADER_BYTES) return [];
    this.#header ??= decodeCacheHeader(this.#headerBytes);
    return this.#records.push(bytes.subarray(taken)).filter((record) => record !== null);
  }

  /** FORMAT_INVALID when the file is cut short or its checksum wrong. */
  end(): CacheRecord[] {
    if (this.#header === null) throw invalid('is shorter than its header');
    this.#records.end();
    if (!this.#ended) throw invalid('is cut short');
    if (!this.#verifier.end()) throw invalid('does not have the checksum that it should have');
    return [];
  }
}

export const cacheReader = (): CacheReader => new CacheReader();

/**
 * The extents of a cache and nothing else: an object is much more work to decode. A file is whole when `end` says so, as
 * `CacheReader` would; what that one would find wrong in the records passed over is not looked for.
 */
export class CacheExtentsReader {
  readonly #verifier = new CacheVerifier();
  readonly #records = new RecordReader<Extent[]>(WHAT, (body) => {
    if (!isExtents(body)) return [];
    const decoded = decodeCanonical(body, { what: `a record of ${WHAT}`, maxBytes: MAX_RECORD_BYTES });
    const record = readFields(decoded, WHAT, cacheRecordFromCbor);
    return record?.type === 'extents' ? record.extents : [];
  });
  #header = 0;

  /** `bytes` is borrowed for the call only. */
  push(bytes: Uint8Array): Extent[] {
    this.#verifier.push(bytes);
    const header = Math.min(CACHE_HEADER_BYTES - this.#header, bytes.length);
    this.#header += header;
    return this.#records.push(bytes.subarray(header)).flat();
  }

  /** FORMAT_INVALID when the file is cut short or its checksum wrong. */
  end(): void {
    this.#records.end();
    if (!this.#verifier.end()) throw invalid('does not have the checksum that it should have');
  }
}

const invalid = (reason: string): HoldfastError => new HoldfastError('FORMAT_INVALID', `${WHAT} ${reason}`);
