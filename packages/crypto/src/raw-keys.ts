import { createPublicKey, type KeyObject } from 'node:crypto';

/** Algorithms whose public keys are written as the plain bytes that their standards define. */
export type RawKeyType = 'ed25519' | 'ml-dsa-65' | 'x25519' | 'ml-kem-768';

/** @param key a private or a public one. */
export const rawPublic = (key: KeyObject): Uint8Array =>
  (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'raw-public' });

/** Node's error for bytes that are no such key. */
export const importPublic = (type: RawKeyType, bytes: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.from(bytes), format: 'raw-public', asymmetricKeyType: type });
