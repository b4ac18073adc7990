import { type ChunkId, HoldfastError, toHex } from '@holdfast/contracts';
import { refuse } from './fields.ts';

export interface ChunkEntry {
  readonly id: ChunkId;
  readonly length: number;
}

const ID_BYTES = 32;
/** The id, then the length as four bytes, most significant first. */
export const CHUNK_ENTRY_BYTES = ID_BYTES + 4;

export function packChunks(chunks: readonly ChunkEntry[]): Uint8Array {
  const packed = Buffer.alloc(chunks.length * CHUNK_ENTRY_BYTES);
  let at = 0;
  for (const { id, length } of chunks) {
    if (packed.write(id, at, ID_BYTES, 'hex') !== ID_BYTES)
      throw new HoldfastError('INTERNAL', `${id} is no chunk id`);
    if (!(Number.isInteger(length) && length >= 1 && length <= 0xffffffff)) {
      throw new HoldfastError('INTERNAL', `Chunk ${id} has the length ${length}`);
    }
    packed.writeUInt32BE(length, at + ID_BYTES);
    at += CHUNK_ENTRY_BYTES;
  }
  return packed;
}

/** For use within a field reader. */
export function unpackChunks(packed: Uint8Array): ChunkEntry[] {
  const count = packed.length / CHUNK_ENTRY_BYTES;
  if (!Number.isInteger(count)) refuse('is not a table of chunks');
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  return Array.from({ length: count }, (_, i) => {
    const at = i * CHUNK_ENTRY_BYTES;
    const length = view.getUint32(at + ID_BYTES);
    if (length === 0) refuse('has a chunk of length 0');
    return { id: toHex(packed.subarray(at, at + ID_BYTES)) as ChunkId, length };
  });
}
