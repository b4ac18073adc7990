import { HoldfastError } from './errors.ts';
import type { PeerId } from './ids.ts';

/**
 * A PeerId of the form `12D3KooW…` is base58 of the identity multihash of a protobuf that wraps the Ed25519 public
 * key: multihash code 0, length 36, field 1 (key type) = 1, field 2 (data) of 32 bytes.
 * Source: libp2p specification, "Peer Ids and Keys".
 */
const PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20);
const KEY_BYTES = 32;
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** A swarm has few peers but millions of shards name them; base58 is quadratic, so results are kept. */
const CACHE_LIMIT = 4096;
const keyOf = new Map<string, Uint8Array>();
const idOf = new Map<string, PeerId>();

/** @param key Raw Ed25519 public key, 32 bytes. */
export function peerIdFromKey(key: Uint8Array): PeerId {
  if (key.length !== KEY_BYTES)
    throw new HoldfastError('INTERNAL', `A peer's key has ${key.length} bytes, not 32`);
  const name = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
  const known = idOf.get(name);
  if (known !== undefined) return known;
  const id = encodeBase58(Buffer.concat([PREFIX, key])) as PeerId;
  if (idOf.size >= CACHE_LIMIT) idOf.clear();
  idOf.set(name, id);
  return id;
}

/** The raw Ed25519 public key, 32 bytes that the caller must not change; null when `text` is not such an id. */
export function peerIdToKey(text: string): Uint8Array | null {
  const known = keyOf.get(text);
  if (known !== undefined) return known;
  const bytes = text.length === 52 ? decodeBase58(text, PREFIX.length + KEY_BYTES) : null;
  if (bytes === null || !PREFIX.every((byte, i) => bytes[i] === byte)) return null;
  const key = bytes.slice(PREFIX.length);
  if (keyOf.size >= CACHE_LIMIT) keyOf.clear();
  keyOf.set(text, key);
  return key;
}

function encodeBase58(bytes: Uint8Array): string {
  const digits: number[] = [];
  for (const byte of bytes) {
    let carry = byte;
    for (let i = 0; i < digits.length || carry > 0; i++) {
      carry += (digits[i] ?? 0) * 256;
      digits[i] = carry % 58;
      carry = Math.floor(carry / 58);
    }
  }
  const zeros = bytes.findIndex((byte) => byte !== 0);
  const text = digits.reverse().map((digit) => ALPHABET[digit]);
  return '1'.repeat(zeros < 0 ? bytes.length : zeros) + text.join('');
}

/** Exactly `length` bytes, or null: also for what would need more, and for spare leading zeros. */
function decodeBase58(text: string, length: number): Uint8Array | null {
  const bytes = new Uint8Array(length);
  for (const character of text) {
    let carry = ALPHABET.indexOf(character);
    if (carry < 0) return null;
    for (let i = length - 1; i >= 0; i--) {
      carry += bytes[i]! * 58;
      bytes[i] = carry & 0xff;
      carry >>= 8;
    }
    if (carry > 0) return null;
  }
  return encodeBase58(bytes) === text ? bytes : null;
}
