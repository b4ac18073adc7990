import { createHash } from 'node:crypto';

/**
 * The row ledger: a local file beside the cache that tells, of each group of rows in a snapshot, how long each row is and
 * what it hashes to. Little-endian, because rows are compared as they lie in it.
 */

export interface LedgerGroup {
  /** Two words: the hash of the first row's key. */
  readonly key: readonly [number, number];
  /** Bytes of content. */
  readonly bytes: number;
  /** Bytes of each row. Empty for content that is not told apart into rows. */
  readonly lengths: Uint32Array;
  /** Four words a row. */
  readonly hashes: Uint32Array;
}

/** Key, rows, zero, bytes as u64. */
export const LEDGER_HEADER_BYTES = 24;
const CHECKSUM_BYTES = 16;
const ROW_BYTES = 20;
export const MAX_LEDGER_ROWS = 16_384;

export const ledgerGroupBytes = (rows: number): number =>
  LEDGER_HEADER_BYTES + rows * ROW_BYTES + CHECKSUM_BYTES;

/** Header, lengths, hashes, and the beginning of a SHA-256 over these. */
export function encodeLedgerGroup({ key, bytes, lengths, hashes }: LedgerGroup): Buffer {
  const rows = lengths.length;
  const encoded = Buffer.alloc(ledgerGroupBytes(rows));
  encoded.writeUInt32LE(key[0], 0);
  encoded.writeUInt32LE(key[1], 4);
  encoded.writeUInt32LE(rows, 8);
  encoded.writeBigUInt64LE(BigInt(bytes), 16);
  encoded.set(bytesOf(lengths), LEDGER_HEADER_BYTES);
  encoded.set(bytesOf(hashes), LEDGER_HEADER_BYTES + 4 * rows);
  encoded.set(checksum(encoded), encoded.length - CHECKSUM_BYTES);
  return encoded;
}

/** How many rows a group has, by its first `LEDGER_HEADER_BYTES`; null when it cannot be one. */
export function ledgerRows(header: Buffer): number | null {
  if (header.length < LEDGER_HEADER_BYTES) return null;
  const rows = header.readUInt32LE(8);
  return rows <= MAX_LEDGER_ROWS ? rows : null;
}

/** A group from exactly its bytes; null when they are not what was written: then there is nothing to compare with. */
export function decodeLedgerGroup(encoded: Buffer): LedgerGroup | null {
  const rows = ledgerRows(encoded);
  if (rows === null || encoded.length !== ledgerGroupBytes(rows)) return null;
  const stored = encoded.subarray(encoded.length - CHECKSUM_BYTES);
  if (!checksum(encoded).equals(stored)) return null;
  const at = LEDGER_HEADER_BYTES;
  return {
    key: [encoded.readUInt32LE(0), encoded.readUInt32LE(4)],
    bytes: Number(encoded.readBigUInt64LE(16)),
    lengths: wordsOf(encoded.subarray(at, at + 4 * rows)),
    hashes: wordsOf(encoded.subarray(at + 4 * rows, at + ROW_BYTES * rows)),
  };
}

const checksum = (encoded: Buffer): Buffer =>
  createHash('sha256')
    .update(encoded.subarray(0, encoded.length - CHECKSUM_BYTES))
    .digest()
    .subarray(0, CHECKSUM_BYTES);

const bytesOf = (words: Uint32Array): Uint8Array =>
  new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

/** A copy: the bytes need not lie at a multiple of four. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array(bytes.length / 4);
  bytesOf(words).set(bytes);
  return words;
}
