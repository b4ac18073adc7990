import { fstatSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { throwIfAborted } from '@holdfast/contracts';
import { type Checksum, walChecksum } from './wal-checksum.ts';
import type { WalIndex } from './wal-index.ts';

const readAsync = promisify(read);

const LOG_HEADER = 32;
const FRAME_HEADER = 24;
const MAGIC_BIG_ENDIAN = 0x377f0683;
const MAGIC_LITTLE_ENDIAN = 0x377f0682;
const LOG_VERSION = 3007000;
const BATCH_BYTES = 1024 * 1024;

/** Which pages of a snapshot lie in the write-ahead log, and where. Eight bytes per distinct page. */
export class WalPages {
  /** Ascending. */
  readonly #pages: Uint32Array;
  /** Of the last frame that holds the page, counted from 0. */
  readonly #frames: Uint32Array;
  readonly #pageSize: number;

  constructor(pages: Uint32Array, frames: Uint32Array, pageSize: number) {
    this.#pages = pages;
    this.#frames = frames;
    this.#pageSize = pageSize;
  }

  get count(): number {
    return this.#pages.length;
  }

  /** Index of the first page in the log whose number is `page` or higher. */
  indexFrom(page: number): number {
    let low = 0;
    let high = this.#pages.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#pages[middle]! < page) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Page number, from 1. Infinity past the last. */
  pageAt(index: number): number {
    return this.#pages[index] ?? Number.POSITIVE_INFINITY;
  }

  /** Where the page's content starts in the log. */
  positionAt(index: number): number {
    return LOG_HEADER + this.#frames[index]! * (FRAME_HEADER + this.#pageSize) + FRAME_HEADER;
  }
}

/**
 * Reads frames 1 … `maxFrame` of the log and maps each page to its last one. The running checksum chains every byte
 * of them to the value in the index, so that a result is proof of having seen the very frames of that commit; null when
 * the chain breaks.
 */
export async function readWalPages(
  log: number,
  index: WalIndex,
  signal?: AbortSignal,
): Promise<WalPages | null> {
  const { maxFrame, pageSize } = index;
  const header = (await readAsync(log, Buffer.alloc(LOG_HEADER), 0, LOG_HEADER, 0)).buffer;
  const littleEndian = header.readUInt32BE(0) === MAGIC_LITTLE_ENDIAN;
  if (!littleEndian && header.readUInt32BE(0) !== MAGIC_BIG_ENDIAN) return null;
  if (header.readUInt32BE(4) !== LOG_VERSION || header.readUInt32BE(8) !== pageSize) return null;
  if (!header.subarray(16, 24).equals(index.salts)) return null;

  // One sortable number per frame: page first, then frame. 2^53 suffices for 2^28 pages with 2^25 frames.
  const stride = maxFrame + 1;
  if (index.pageCount * stride > Number.MAX_SAFE_INTEGER) return null;
  const frameBytes = FRAME_HEADER + pageSize;
  // Before room is made for them: a damaged index may count more frames than any memory holds.
  if (fstatSync(log).size < LOG_HEADER + maxFrame * frameBytes) return null;
  const keys = new Float64Array(maxFrame);
  const batchFrames = Math.max(1, Math.floor(BATCH_BYTES / frameBytes));
  const batch = Buffer.from(new ArrayBuffer(batchFrames * frameBytes));
  let sum = walChecksum(header.subarray(0, 24), [0, 0], littleEndian);
  if (!isStored(sum, header, 24)) return null;
  let kept = 0;
  for (let frame = 0; frame < maxFrame; frame += batchFrames) {
    throwIfAborted(signal);
    const frames = Math.min(batchFrames, maxFrame - frame);
    const { bytesRead } = await readAsync(
      log,
      batch,
      0,
      frames * frameBytes,
      LOG_HEADER + frame * frameBytes,
    );
    if (bytesRead < frames * frameBytes) return null;
    for (let i = 0; i < frames; i++) {
      const bytes = batch.subarray(i * frameBytes, (i + 1) * frameBytes);
      if (!bytes.subarray(8, 16).equals(index.salts)) return null;
      sum = walChecksum(bytes.subarray(0, 8), sum, littleEndian);
      sum = walChecksum(bytes.subarray(FRAME_HEADER), sum, littleEndian);
      if (!isStored(sum, bytes, 16)) return null;
      const page = bytes.readUInt32BE(0);
      // Pages past the end belonged to a database that has shrunk since.
      if (page >= 1 && page <= index.pageCount) keys[kept++] = page * stride + frame + i;
    }
  }
  if (sum[0] !== index.frameChecksum[0] || sum[1] !== index.frameChecksum[1]) return null;
  return lastFrames(keys.subarray(0, kept), stride, pageSize);
}

function isStored(sum: Checksum, bytes: Buffer, offset: number): boolean {
  return bytes.readUInt32BE(offset) === sum[0] && bytes.readUInt32BE(offset + 4) === sum[1];
}

function lastFrames(keys: Float64Array, stride: number, pageSize: number): WalPages {
  keys.sort();
  const pages = new Uint32Array(keys.length);
  const frames = new Uint32Array(keys.length);
  let count = 0;
  for (let i = 0; i < keys.length; i++) {
    const page = Math.floor(keys[i]! / stride);
    if (i + 1 < keys.length && Math.floor(keys[i + 1]! / stride) === page) continue;
    pages[count] = page;
    frames[count++] = keys[i]! % stride;
  }
  return new WalPages(pages.slice(0, count), frames.slice(0, count), pageSize);
}
