export {
  CACHE_HEADER_BYTES,
  CacheChecksum,
  CacheExtentsReader,
  type CacheHeader,
  type CacheReader,
  CacheVerifier,
  cacheReader,
  encodeCacheHeader,
} from './cache-file.ts';
export {
  BLOCK_HASH_BYTES,
  type CacheRecord,
  encodeCacheBlocks,
  encodeCacheExtents,
  encodeCacheObject,
  encodeCacheRows,
  MAX_CACHE_BLOCKS,
} from './cache-records.ts';
export { type CborValue, type DecodeLimits, decodeCanonical, encodeCanonical } from './cbor.ts';
export { MAX_CBOR_DEPTH } from './cbor-tokens.ts';
export type { ChunkEntry } from './chunk-table.ts';
export { ExtentCutter } from './extent-cutter.ts';
export { type Extent, MAX_EXTENT_LENGTH, MAX_EXTENTS } from './extents.ts';
export {
  decodeHead,
  decodePublicHead,
  encodeHead,
  type Head,
  type Open,
  type PublicHead,
  type Seal,
} from './head.ts';
export { decodeJournalFrames, encodeJournalFrames } from './journal-frames.ts';
export {
  capProblems,
  decodeManifest,
  encodeManifest,
  MAX_MANIFEST_BYTES,
  MAX_MANIFEST_PROBLEMS,
  type Manifest,
  type ManifestPolicy,
  type MetadataLocation,
} from './manifest.ts';
export { encodeExtents, encodeObject, type MetadataRecord, metadataReader } from './metadata-stream.ts';
export { type EncodedObject, encodeOnce, type ObjectRecord } from './object-record.ts';
export {
  finishPayload,
  MAX_FRAME_RAW_BYTES,
  PAYLOAD_HEADER_BYTES,
  PAYLOAD_INDEX_BASE_BYTES,
  PAYLOAD_INDEX_CHUNK_BYTES,
  PAYLOAD_INDEX_FRAME_BYTES,
  type PayloadFrame,
  payloadIndexBytes,
  readPayload,
} from './payload.ts';
export { MAX_RECORD_BYTES, RecordReader } from './records.ts';
export {
  decodeLedgerGroup,
  encodeLedgerGroup,
  LEDGER_HEADER_BYTES,
  type LedgerGroup,
  ledgerGroupBytes,
  ledgerRows,
  MAX_LEDGER_ROWS,
} from './row-ledger.ts';
export type { Sign, Verify } from './signed-file.ts';
export { decodeStripe, encodeStripe, stripeReader } from './stripe-stream.ts';
export { decodeSwarmView, encodeSwarmView, roundedLatency, roundedShare } from './swarm-view.ts';
export * from './wire/index.ts';
