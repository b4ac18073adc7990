import { HoldfastError } from '@holdfast/contracts';

/**
 * Everything that a key is used for has a name of its own, so that no two uses can ever meet in the same bytes.
 * The names are part of the formats: a changed name is another key. New meanings get a new version, never a reuse.
 */
export const DOMAINS = {
  root: 'holdfast/root/v1',
  fingerprint: 'holdfast/fingerprint/v1',
  sealing: 'holdfast/sealing/v1',
  epoch: 'holdfast/epoch/v1',
  partition: 'holdfast/partition/v1',
  shardKey: 'holdfast/shard-key/v1',
  shardIds: 'holdfast/shard-ids/v1',
  shardId: 'holdfast/shard-id/v1',
  chunkIds: 'holdfast/chunk-ids/v1',
  rows: 'holdfast/rows/v1',
  chunker: 'holdfast/chunker/v1',
  head: 'holdfast/head/v1',
  placement: 'holdfast/placement-salt/v1',
  signEd25519: 'holdfast/sign-ed25519/v1',
  signMlDsa: 'holdfast/sign-ml-dsa-65/v1',
  signature: 'holdfast/signature-ed25519-ml-dsa-65/v1',
  xWing: 'holdfast/x-wing/v1',
  wrap: 'holdfast/wrap-x-wing/v1',
  packageKey: 'holdfast/aont-package-key/v1',
  packageHash: 'holdfast/aont-package-hash/v1',
  seal: 'holdfast/seal/v1',
  box: 'holdfast/box/v1',
  keyFileCheck: 'holdfast/key-file-check/v1',
} as const;

export type Domain = (typeof DOMAINS)[keyof typeof DOMAINS];

/**
 * The domain's name, a zero byte, then the context. Names hold no zero byte and each is always followed by context of
 * one shape, so different (domain, context) pairs never give the same bytes.
 */
export function tagged(domain: Domain, ...context: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([Buffer.from(`${domain}\0`, 'latin1'), ...context]);
}

/** Big-endian. */
export function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff);
}

/** Big-endian. */
export function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

/** Big-endian; any safe integer. */
export function uint64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

/** A length-prefixed string: two of them side by side cannot be confused with one. */
export function framedText(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([uint16(bytes.length), bytes]);
}

/** What kind of record something is, framed, so that it never runs into what follows. 1 to 255 characters. */
export function framedDomain(domain: string): Uint8Array {
  if (domain.length === 0 || domain.length > 255) {
    throw new HoldfastError('INTERNAL', `A domain has 1 to 255 characters, not ${domain.length}.`);
  }
  return framedText(domain);
}
