import { type JournalFrame, MiB } from '@holdfast/contracts';
import { type CborValue, decodeCanonical, encodeCanonical } from './cbor.ts';
import { CHUNK_ENTRY_BYTES, packChunks, unpackChunks } from './chunk-table.ts';
import { bytesOf, checked, type FieldReader, listOf, readFields, tupleOf, uint } from './fields.ts';

const WHAT = 'the journalled frames of a partition';
/** No payload is larger than 255 shards; its index is a small part of it. */
const MAX_BYTES = 64 * MiB;

/** A BLOB for the catalog: local to one owner, never signed or sent. */
export function encodeJournalFrames(frames: readonly JournalFrame[]): Uint8Array {
  const value = frames.map(({ codec, chunks }): CborValue => [codec, packChunks(chunks)]);
  return encodeCanonical(checked(value, WHAT, framesFromCbor));
}

/** FORMAT_INVALID. */
export function decodeJournalFrames(bytes: Uint8Array): JournalFrame[] {
  return readFields(decodeCanonical(bytes, { what: WHAT, maxBytes: MAX_BYTES }), WHAT, framesFromCbor);
}

const frameFromCbor: FieldReader<JournalFrame> = (value) => {
  const [codec, packed] = columns(value);
  return { chunks: unpackChunks(packed), codec };
};
const columns = tupleOf(uint(255), bytesOf(CHUNK_ENTRY_BYTES, MAX_BYTES));
const framesFromCbor = listOf(frameFromCbor, MAX_BYTES);
