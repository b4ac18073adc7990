export { GearChunker, type GearChunkerOptions } from './gear-chunker.ts';
export type { ChunkLimits } from './limits.ts';
