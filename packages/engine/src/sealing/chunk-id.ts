import type { ChunkId } from '@holdfast/contracts';
import { keyedBlake3Hex } from '@holdfast/crypto';

export const chunkId = (key: Uint8Array, bytes: Uint8Array): ChunkId => keyedBlake3Hex(key, bytes) as ChunkId;
