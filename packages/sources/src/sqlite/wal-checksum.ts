import { endianness } from 'node:os';

export type Checksum = readonly [number, number];

const HOST_LITTLE = endianness() === 'LE';

/**
 * SQLite's running checksum over pairs of 32-bit words (https://www.sqlite.org/fileformat2.html#checksum_algorithm).
 *
 * @param bytes a multiple of 8 long; left as it is.
 */
export function walChecksum(bytes: Uint8Array, start: Checksum, littleEndian: boolean): Checksum {
  let [a, b] = start;
  const words = asWords(bytes, littleEndian);
  for (let i = 0; i < words.length; i += 2) {
    a = (a + words[i]! + b) | 0;
    b = (b + words[i + 1]! + a) | 0;
  }
  return [a >>> 0, b >>> 0];
}

function asWords(bytes: Uint8Array, littleEndian: boolean): Int32Array {
  if (littleEndian === HOST_LITTLE && bytes.byteOffset % 4 === 0) {
    return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  }
  // A copy, since Buffer.from shares small allocations at any alignment.
  const copy = Buffer.alloc(bytes.length);
  copy.set(bytes);
  if (littleEndian !== HOST_LITTLE) copy.swap32();
  return new Int32Array(Uint8Array.from(copy).buffer);
}
