import { createPrivateKey, type KeyObject, sign, verify } from 'node:crypto';
import { inspect } from 'node:util';
import { HoldfastError } from '@holdfast/contracts';
import { DOMAINS, framedDomain, tagged, uint64 } from './domains.ts';
import { importPublic, rawPublic } from './raw-keys.ts';

const ED25519_PUBLIC_BYTES = 32;
const ED25519_SIGNATURE_BYTES = 64;
const ML_DSA_PUBLIC_BYTES = 1952;
const ML_DSA_SIGNATURE_BYTES = 3309;

/** Ed25519's 32 bytes, then ML-DSA-65's 1 952. */
export const PUBLIC_KEY_BYTES = ED25519_PUBLIC_BYTES + ML_DSA_PUBLIC_BYTES;
/** Ed25519's 64 bytes, then ML-DSA-65's 3 309. */
export const SIGNATURE_BYTES = ED25519_SIGNATURE_BYTES + ML_DSA_SIGNATURE_BYTES;

/**
 * What both algorithms sign. It names the pair, so that neither half is a valid signature of anything by itself, and
 * frames the domain, so that a record of one kind can never be taken for one of another.
 */
function signedBytes(domain: string, message: Uint8Array): Uint8Array {
  return tagged(DOMAINS.signature, framedDomain(domain), uint64(message.length), message);
}

/** Signs with Ed25519 (RFC 8032) and ML-DSA-65 (FIPS 204, hedged): forging takes breaking both. */
export class HybridSigner {
  readonly publicKey: Uint8Array;
  readonly #ed25519: KeyObject;
  readonly #mlDsa: KeyObject;

  private constructor(ed25519: KeyObject, mlDsa: KeyObject) {
    this.#ed25519 = ed25519;
    this.#mlDsa = mlDsa;
    this.publicKey = Buffer.concat([rawPublic(ed25519), rawPublic(mlDsa)]);
  }

  /** Each seed 32 bytes, not kept. The same seeds always give the same keys. */
  static fromSeeds(ed25519: Uint8Array, mlDsa: Uint8Array): HybridSigner {
    return new HybridSigner(
      createPrivateKey({ key: viewOf(ed25519), format: 'raw-private', asymmetricKeyType: 'ed25519' }),
      createPrivateKey({ key: viewOf(mlDsa), format: 'raw-seed', asymmetricKeyType: 'ml-dsa-65' }),
    );
  }

  /**
   * {@link SIGNATURE_BYTES} bytes. Not the same twice: ML-DSA mixes in fresh randomness.
   *
   * @param domain what kind of record this is, with its version: `holdfast/head/v1`.
   */
  sign(domain: string, message: Uint8Array): Uint8Array {
    const bytes = signedBytes(domain, message);
    return Buffer.concat([sign(null, bytes, this.#ed25519), sign(null, bytes, this.#mlDsa)]);
  }

  [inspect.custom](): string {
    return 'HybridSigner [secret]';
  }

  toJSON(): string {
    return '[secret]';
  }
}

export class HybridVerifier {
  readonly #ed25519: KeyObject;
  readonly #mlDsa: KeyObject;

  private constructor(ed25519: KeyObject, mlDsa: KeyObject) {
    this.#ed25519 = ed25519;
    this.#mlDsa = mlDsa;
  }

  /** FORMAT_INVALID unless these are {@link PUBLIC_KEY_BYTES} bytes. */
  static fromPublicKey(bytes: Uint8Array): HybridVerifier {
    if (bytes.length !== PUBLIC_KEY_BYTES) {
      throw new HoldfastError(
        'FORMAT_INVALID',
        `A public key has ${PUBLIC_KEY_BYTES} bytes, not ${bytes.length}.`,
      );
    }
    try {
      return new HybridVerifier(
        importPublic('ed25519', bytes.subarray(0, ED25519_PUBLIC_BYTES)),
        importPublic('ml-dsa-65', bytes.subarray(ED25519_PUBLIC_BYTES)),
      );
    } catch (error) {
      throw HoldfastError.from(error, 'FORMAT_INVALID', 'These bytes are not a public key.');
    }
  }

  /** Whether both halves verify. Anything malformed is just a signature that does not. */
  verify(domain: string, message: Uint8Array, signature: Uint8Array): boolean {
    if (signature.length !== SIGNATURE_BYTES) return false;
    const bytes = signedBytes(domain, message);
    const classical = verify(null, bytes, this.#ed25519, signature.subarray(0, ED25519_SIGNATURE_BYTES));
    const postQuantum = verify(null, bytes, this.#mlDsa, signature.subarray(ED25519_SIGNATURE_BYTES));
    return classical && postQuantum;
  }
}

/** Not `Buffer.from(seed)`: that copy would stay behind when the caller wipes the seed. */
function viewOf(seed: Uint8Array): Buffer {
  return Buffer.from(seed.buffer, seed.byteOffset, seed.length);
}
