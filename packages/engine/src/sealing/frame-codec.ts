import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { HoldfastError } from '@holdfast/contracts';

/** Below this gain a frame is kept raw: decompressing would cost more than the bytes saved. */
const WORTHWHILE = 0.97;

export interface EncodedFrame {
  readonly codec: 0 | 1;
  readonly bytes: Uint8Array;
}

/** Rows and text shrink to less than this share of their length, so that one buffer of it takes all of the output. */
const USUAL_SHARE = 0.5;

/**
 * zstd in one shot. `chunkSize` is large enough that Node usually returns its first buffer as it is instead of joining
 * pieces, and no larger: these buffers are garbage soon, and a thread's garbage is most of its memory. Incompressible
 * input passes level 1 at memory speed, so no test comes before it.
 */
export function encodeFrame(raw: Uint8Array, level: number): EncodedFrame {
  if (level === 0) return { codec: 0, bytes: raw };
  const bytes = zstdCompressSync(raw, {
    chunkSize: Math.ceil(raw.length * USUAL_SHARE) + 1024,
    params: { [constants.ZSTD_c_compressionLevel]: level },
  });
  return bytes.length < raw.length * WORTHWHILE ? { codec: 1, bytes } : { codec: 0, bytes: raw };
}

/** A fresh buffer of exactly `rawLength` bytes; FORMAT_INVALID when the frame does not give that many. */
export function decodeFrame(
  stored: Uint8Array,
  codec: number,
  rawLength: number,
  describe: string,
): Uint8Array {
  if (codec === 0) {
    if (stored.length === rawLength) return new Uint8Array(stored);
    throw new HoldfastError(
      'FORMAT_INVALID',
      `${describe}: a raw frame has ${stored.length} bytes, not ${rawLength}.`,
    );
  }
  let raw: Buffer;
  try {
    // One byte more than expected is enough to tell that a frame is too long, and bounds what it may allocate.
    raw = zstdDecompressSync(stored, { chunkSize: Math.max(rawLength, 64), maxOutputLength: rawLength + 1 });
  } catch (cause) {
    throw new HoldfastError('FORMAT_INVALID', `${describe}: a compressed frame does not decompress.`, {
      cause,
    });
  }
  if (raw.length !== rawLength) {
    throw new HoldfastError(
      'FORMAT_INVALID',
      `${describe}: a frame has ${raw.length} bytes, not ${rawLength}.`,
    );
  }
  return raw;
}
