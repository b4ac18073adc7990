/**
 * Identifiers are branded strings, so that the compiler refuses a shard id where a partition id belongs.
 * They are compared and used as map keys as they are; on wire and disk they are the bytes that they spell.
 */
declare const brand: unique symbol;
type Brand<T, B> = T & { readonly [brand]: B };

/** 32 bytes as 64 lower-case hex digits: HMAC of partition id and index under an owner key; unlinkable without it. */
export type ShardId = Brand<string, 'ShardId'>;
/** RFC 9562 UUID, lower case. */
export type PartitionId = Brand<string, 'PartitionId'>;
/** RFC 9562 UUID, lower case. */
export type SnapshotId = Brand<string, 'SnapshotId'>;
/** 32 bytes as hex: keyed BLAKE3 of the chunk's content, so that equal content is found only by its owner. */
export type ChunkId = Brand<string, 'ChunkId'>;
/** An Ed25519 identity in libp2p's text form (`12D3KooW…`), which is also the CN of its certificate. */
export type PeerId = Brand<string, 'PeerId'>;
/** 32 bytes as hex: unkeyed BLAKE3-256 of some bytes. */
export type Hash = Brand<string, 'Hash'>;
/** Who pays for and may delete shards: the PeerId of the owner's identity. */
export type OwnerId = PeerId;

const HEX32 = /^[0-9a-f]{64}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const PEER = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/;

export const isShardId = (text: string): text is ShardId => HEX32.test(text);
export const isHash = (text: string): text is Hash => HEX32.test(text);
export const isPartitionId = (text: string): text is PartitionId => UUID.test(text);
export const isSnapshotId = (text: string): text is SnapshotId => UUID.test(text);
export const isPeerId = (text: string): text is PeerId => PEER.test(text);

export const toHex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');

export const fromHex = (hex: string): Uint8Array => Buffer.from(hex, 'hex');

export const uuidToBytes = (uuid: string): Uint8Array => Buffer.from(uuid.replaceAll('-', ''), 'hex');

/** @param bytes 16 bytes. */
export function bytesToUuid(bytes: Uint8Array): string {
  const hex = toHex(bytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
