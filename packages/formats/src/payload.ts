import { HoldfastError, MiB } from '@holdfast/contracts';
import { type CborValue, decodeCanonical, encodeCanonical } from './cbor.ts';
import { CHUNK_ENTRY_BYTES, type ChunkEntry, packChunks, unpackChunks } from './chunk-table.ts';
import { bytesOf, type FieldReader, listOf, oneOf, readFields, tupleOf, uint } from './fields.ts';

/** `HFPL`, version, three zeros, then as u32: bytes of frames, bytes of index, frames, chunks; then eight zeros. */
export const PAYLOAD_HEADER_BYTES = 32;
const MAGIC = 0x4846504c;
const VERSION = 1;
const RESERVED_AT = 24;
const WHAT = 'the payload of a partition';

/** A frame is decompressed in one piece: this bounds the memory that it may ask for. */
export const MAX_FRAME_RAW_BYTES = 16 * MiB;

/** Upper bounds of what the index takes: once, for each frame, and for each chunk. */
export const PAYLOAD_INDEX_BASE_BYTES = 5;
export const PAYLOAD_INDEX_FRAME_BYTES = 17;
export const PAYLOAD_INDEX_CHUNK_BYTES = CHUNK_ENTRY_BYTES;

export interface PayloadFrame {
  /** 0: the chunks as they are; 1: one zstd frame. */
  readonly codec: 0 | 1;
  readonly rawLength: number;
  readonly storedLength: number;
  /** In the order of their bytes; no chunk occurs twice in a payload. */
  readonly chunks: readonly ChunkEntry[];
}

/** Upper bound of the encoded index, for the packer's budget. */
export function payloadIndexBytes(frames: readonly { readonly chunks: number }[]): number {
  const perFrame = frames.map(({ chunks }) => PAYLOAD_INDEX_FRAME_BYTES + chunks * PAYLOAD_INDEX_CHUNK_BYTES);
  return perFrame.reduce((sum, bytes) => sum + bytes, PAYLOAD_INDEX_BASE_BYTES);
}

/**
 * The frames stand in `payload` already, back to back from `PAYLOAD_HEADER_BYTES`. Writes the index behind them and the
 * header, zeroes the rest, and returns the bytes in use. INTERNAL when the frames contradict each other or do not fit.
 */
export function finishPayload(payload: Uint8Array, frames: readonly PayloadFrame[]): number {
  const index = encodeCanonical(
    frames.map((frame) => [frame.codec, frame.rawLength, frame.storedLength, packChunks(frame.chunks)]),
  );
  const indexStart = PAYLOAD_HEADER_BYTES + frames.reduce((sum, frame) => sum + frame.storedLength, 0);
  const used = indexStart + index.length;
  const fault = used > payload.length ? `needs ${used} of ${payload.length} bytes` : faultOf(frames);
  if (fault !== null) throw new HoldfastError('INTERNAL', `${WHAT}, about to be written: ${fault}`);
  const header = new DataView(payload.buffer, payload.byteOffset, PAYLOAD_HEADER_BYTES);
  header.setUint32(0, MAGIC);
  header.setUint32(4, VERSION << 24);
  header.setUint32(8, indexStart - PAYLOAD_HEADER_BYTES);
  header.setUint32(12, index.length);
  header.setUint32(16, frames.length);
  header.setUint32(20, countChunks(frames));
  payload.fill(0, RESERVED_AT, PAYLOAD_HEADER_BYTES);
  payload.set(index, indexStart);
  payload.fill(0, used);
  return used;
}

/** FORMAT_VERSION, or FORMAT_INVALID for whatever `finishPayload` would not have written around the same frames. */
export function readPayload(payload: Uint8Array): {
  used: number;
  frames: (PayloadFrame & { start: number })[];
} {
  const header = readHeader(payload);
  const indexStart = PAYLOAD_HEADER_BYTES + header.framesBytes;
  const used = indexStart + header.indexBytes;
  if (used > payload.length) throw invalid(`claims ${used} of its ${payload.length} bytes`);
  // The payload may lie in memory shared with other threads; what is checked must not change afterwards.
  const indexBytes = Uint8Array.from(payload.subarray(indexStart, used));
  const value = decodeCanonical(indexBytes, { what: `the index of ${WHAT}`, maxBytes: indexBytes.length });
  const index = readFields(value, WHAT, indexOf);
  if (index.length !== header.frameCount) throw invalid('has another number of frames than its header says');
  const fault = faultOf(index);
  if (fault !== null) throw invalid(fault);
  if (countChunks(index) !== header.chunkCount)
    throw invalid('has another number of chunks than its header says');
  let start = PAYLOAD_HEADER_BYTES;
  const frames = index.map((frame) => {
    const placed = { ...frame, start };
    start += frame.storedLength;
    return placed;
  });
  if (start !== indexStart) throw invalid('has frames that do not add up to what its header says');
  if (!isZero(payload.subarray(used))) throw invalid('has something behind its index');
  return { used, frames };
}

function readHeader(payload: Uint8Array) {
  if (payload.length < PAYLOAD_HEADER_BYTES) throw invalid('is shorter than its header');
  const header = new DataView(payload.buffer, payload.byteOffset, PAYLOAD_HEADER_BYTES);
  if (header.getUint32(0) !== MAGIC) throw invalid('does not begin with HFPL');
  const version = header.getUint8(4);
  if (version !== VERSION)
    throw new HoldfastError('FORMAT_VERSION', `${WHAT} has version ${version}, not ${VERSION}`);
  const reserved = [...payload.subarray(5, 8), ...payload.subarray(RESERVED_AT, PAYLOAD_HEADER_BYTES)];
  if (reserved.some((byte) => byte !== 0)) throw invalid('has a reserved byte that is not zero');
  return {
    framesBytes: header.getUint32(8),
    indexBytes: header.getUint32(12),
    frameCount: header.getUint32(16),
    chunkCount: header.getUint32(20),
  };
}

const frameOf: FieldReader<PayloadFrame> = (value: CborValue) => {
  const [codec, rawLength, storedLength, packed] = frameColumns(value);
  return { codec, rawLength, storedLength, chunks: unpackChunks(packed) };
};
const frameColumns = tupleOf(
  oneOf<0 | 1>(0, 1),
  uint(MAX_FRAME_RAW_BYTES, 1),
  uint(0xffffffff, 1),
  bytesOf(CHUNK_ENTRY_BYTES, 0xffffffff),
);
const indexOf = listOf(frameOf, 0xffffffff);

/** What is wrong between the parts of an index, if anything. */
function faultOf(frames: readonly PayloadFrame[]): string | null {
  const seen = new Set<string>();
  for (const [i, { codec, rawLength, storedLength, chunks }] of frames.entries()) {
    let sum = 0;
    for (const { id, length } of chunks) {
      if (seen.has(id)) return `frame ${i} repeats the chunk ${id}`;
      seen.add(id);
      sum += length;
    }
    if (sum !== rawLength) return `the chunks of frame ${i} have ${sum} bytes, not ${rawLength}`;
    if (rawLength < 1 || rawLength > MAX_FRAME_RAW_BYTES) return `frame ${i} has ${rawLength} bytes`;
    if (storedLength < 1) return `frame ${i} is empty`;
    if (codec === 0 && storedLength !== rawLength) return `frame ${i} is raw but has two lengths`;
  }
  return null;
}

const countChunks = (frames: readonly PayloadFrame[]): number =>
  frames.reduce((sum, { chunks }) => sum + chunks.length, 0);

const ZEROS = new Uint8Array(64 * 1024);

function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const piece = bytes.subarray(at, at + ZEROS.length);
    if (Buffer.compare(piece, ZEROS.subarray(0, piece.length)) !== 0) return false;
  }
  return true;
}

const invalid = (reason: string): HoldfastError => new HoldfastError('FORMAT_INVALID', `${WHAT} ${reason}`);
