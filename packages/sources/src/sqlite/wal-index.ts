import { endianness } from 'node:os';
import { walChecksum } from './wal-checksum.ts';

/**
 * What the shared-memory index (`-shm`) says of the write-ahead log. Layout, in the machine's byte order: two copies of a
 * 48-byte header, then checkpoint information (https://www.sqlite.org/walformat.html#the_wal_index_header).
 */
export interface WalIndex {
  /** The whole header, to compare: it carries a change counter, salts and checksums, so equal means unchanged. */
  readonly header: Buffer;
  readonly pageSize: number;
  /** Committed frames in the log. */
  readonly maxFrame: number;
  /** Pages of the database as of that frame; 0 with an empty log. */
  readonly pageCount: number;
  /** The running checksum after frame `maxFrame`. */
  readonly frameChecksum: readonly [number, number];
  /** As in the log's own header, 8 bytes. */
  readonly salts: Buffer;
  /** Frames already copied into the database file. */
  readonly backfilled: number;
}

export const WAL_INDEX_BYTES = 136;
const HEADER = 48;
const VERSION = 3007000;
const LITTLE = endianness() === 'LE';

/** Null when a writer is just changing it, or when it is not (yet) such an index. */
export function parseWalIndex(bytes: Buffer): WalIndex | null {
  if (bytes.length < WAL_INDEX_BYTES) return null;
  const header = bytes.subarray(0, HEADER);
  if (!header.equals(bytes.subarray(HEADER, 2 * HEADER))) return null;
  const u32 = (offset: number): number => (LITTLE ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset));
  if (u32(0) !== VERSION || bytes[12] !== 1) return null;
  const sum = walChecksum(bytes.subarray(0, 40), [0, 0], LITTLE);
  if (sum[0] !== u32(40) || sum[1] !== u32(44)) return null;
  const stored = LITTLE ? bytes.readUInt16LE(14) : bytes.readUInt16BE(14);
  return {
    header: Buffer.from(header),
    pageSize: (stored & 0xfe00) + ((stored & 1) << 16),
    maxFrame: u32(16),
    pageCount: u32(20),
    frameChecksum: [u32(24), u32(28)],
    salts: Buffer.from(bytes.subarray(32, 40)),
    backfilled: u32(96),
  };
}
