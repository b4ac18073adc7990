/** Zeros count as a hole in whole blocks of this size: the allocation unit of common file systems. */
export const HOLE_BLOCK = 4096;

const ZEROS = Buffer.alloc(HOLE_BLOCK);

/** How many bytes at the start are whole zero blocks; at the end of a file the last block may be shorter. */
export function zeroLength(bytes: Uint8Array, atEnd: boolean): number {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let position = 0;
  while (position < view.length) {
    const length = Math.min(HOLE_BLOCK, view.length - position);
    if (length < HOLE_BLOCK && !atEnd) break;
    if (view.compare(ZEROS, 0, length, position, position + length) !== 0) break;
    position += length;
  }
  return position;
}

/** How many bytes there are before the first whole zero block. At least one block, or all. */
export function dataLength(bytes: Uint8Array): number {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let position = Math.min(HOLE_BLOCK, view.length);
  while (position + HOLE_BLOCK <= view.length) {
    if (view.compare(ZEROS, 0, HOLE_BLOCK, position, position + HOLE_BLOCK) === 0) return position;
    position += HOLE_BLOCK;
  }
  return view.length;
}
