import { constants, type ZstdOptions, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { copyInto, HoldfastError } from '@holdfast/contracts';

/** Below this gain a frame is kept raw: decompressing would cost more than the bytes saved. */
const WORTHWHILE = 0.97;

export interface EncodedFrame {
  readonly codec: 0 | 1;
  readonly bytes: Uint8Array;
}

/** ZSTD_COMPRESSBOUND of zstd.h, rounded up: no input of `length` bytes gives more. */
const compressBound = (length: number): number => length + (length >> 8) + 1024;

/**
 * zstd in one shot. The output buffer holds the worst case: only then does zstd compress from the input as it lies, without
 * a window of its own that it copies the input to (560 instead of 400 MiB/s), and Node returns that buffer without joining
 * pieces. Incompressible input passes level 1 at memory speed, so no test comes before it.
 */
export function encodeFrame(raw: Uint8Array, level: number): EncodedFrame {
  if (level === 0) return { codec: 0, bytes: raw };
  const bytes = oneShot(zstdCompressSync, raw, {
    chunkSize: compressBound(raw.length),
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
    if (stored.length === rawLength) return copyOf(stored);
    throw new HoldfastError(
      'FORMAT_INVALID',
      `${describe}: a raw frame has ${stored.length} bytes, not ${rawLength}.`,
    );
  }
  let raw: Uint8Array;
  try {
    // One byte more than expected is enough to tell that a frame is too long, and bounds what it may allocate.
    const options = { chunkSize: Math.max(rawLength, 64), maxOutputLength: rawLength + 1 };
    raw = oneShot(zstdDecompressSync, stored, options);
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

function copyOf(stored: Uint8Array): Uint8Array {
  const raw = Buffer.allocUnsafeSlow(stored.length);
  copyInto(raw, 0, stored);
  return raw;
}

type Zstd = (bytes: Uint8Array, options: ZstdOptions) => unknown;

/**
 * Node keeps what a call worked with (the `engine`, which option `info` gives besides the result) until V8 next collects
 * its whole heap, and that keeps the output buffer: a megabyte for each frame. So the buffer is taken from it.
 */
function oneShot(zstd: Zstd, bytes: Uint8Array, options: ZstdOptions): Uint8Array {
  const { buffer, engine } = zstd(bytes, { ...options, info: true } as ZstdOptions) as {
    buffer: Uint8Array;
    engine: { _outBuffer: unknown };
  };
  engine._outBuffer = null;
  return buffer;
}
