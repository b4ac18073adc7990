import {
  createHash,
  createPrivateKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { inspect } from 'node:util';
import { HoldfastError } from '@holdfast/contracts';
import { importPublic, rawPublic } from './raw-keys.ts';

const SEED_BYTES = 32;
const X25519_BYTES = 32;
const ML_KEM_SEED_BYTES = 64;
const ML_KEM_PUBLIC_BYTES = 1184;
const ML_KEM_CIPHERTEXT_BYTES = 1088;

/** ML-KEM-768's 1 184 bytes, then X25519's 32. */
export const X_WING_PUBLIC_BYTES = ML_KEM_PUBLIC_BYTES + X25519_BYTES;
/** ML-KEM-768's 1 088 bytes, then the ephemeral X25519 key's 32. */
export const X_WING_CIPHERTEXT_BYTES = ML_KEM_CIPHERTEXT_BYTES + X25519_BYTES;

/** `\./` and `/^\`: the wing, as the draft draws it. */
const LABEL = Buffer.from('5c2e2f2f5e5c', 'hex');

/**
 * X-Wing (draft-connolly-cfrg-xwing-kem-10): a key agreement that holds as long as X25519 or ML-KEM-768 does. Only the
 * combination of the two is made here; they and SHA-3 are OpenSSL's.
 */
export class XWingPublicKey {
  readonly #mlKem: KeyObject;
  readonly #x25519: KeyObject;
  readonly #x25519Bytes: Uint8Array;

  private constructor(mlKem: KeyObject, x25519: KeyObject, x25519Bytes: Uint8Array) {
    this.#mlKem = mlKem;
    this.#x25519 = x25519;
    this.#x25519Bytes = x25519Bytes;
  }

  /**
   * FORMAT_INVALID unless these are {@link X_WING_PUBLIC_BYTES} bytes with coefficients below ML-KEM's modulus.
   *
   * @param bytes copied.
   */
  static fromBytes(bytes: Uint8Array): XWingPublicKey {
    if (bytes.length !== X_WING_PUBLIC_BYTES) {
      throw new HoldfastError(
        'FORMAT_INVALID',
        `An X-Wing public key has ${X_WING_PUBLIC_BYTES} bytes, not ${bytes.length}.`,
      );
    }
    const x25519 = Uint8Array.from(bytes.subarray(ML_KEM_PUBLIC_BYTES));
    try {
      // The modulus check of FIPS 203 §7.2, which the draft asks for, is part of OpenSSL's import.
      const mlKem = importPublic('ml-kem-768', bytes.subarray(0, ML_KEM_PUBLIC_BYTES));
      return new XWingPublicKey(mlKem, importPublic('x25519', x25519), x25519);
    } catch (error) {
      throw HoldfastError.from(error, 'FORMAT_INVALID', 'These bytes are not an X-Wing public key.');
    }
  }

  /**
   * A fresh secret of 32 bytes, for the caller to wipe, and what tells it to the holder of the private key. FORMAT_INVALID
   * for a key whose X25519 half is a point of low order.
   */
  encapsulate(): { sharedSecret: Uint8Array; ciphertext: Uint8Array } {
    const ephemeral = generateKeyPairSync('x25519');
    const ephemeralBytes = rawPublic(ephemeral.publicKey);
    const x25519Secret = agree(ephemeral.privateKey, this.#x25519);
    const mlKem = encapsulate(this.#mlKem);
    return {
      sharedSecret: combine(mlKem.sharedKey, x25519Secret, ephemeralBytes, this.#x25519Bytes),
      ciphertext: Buffer.concat([mlKem.ciphertext, ephemeralBytes]),
    };
  }
}

export class XWingPrivateKey {
  readonly publicKey: Uint8Array;
  readonly #mlKem: KeyObject;
  readonly #x25519: KeyObject;

  private constructor(mlKem: KeyObject, x25519: KeyObject) {
    this.#mlKem = mlKem;
    this.#x25519 = x25519;
    this.publicKey = Buffer.concat([rawPublic(mlKem), rawPublic(x25519)]);
  }

  /** @param seed 32 bytes, not kept: the draft's decapsulation key. KEY_WRONG for another length. */
  static fromSeed(seed: Uint8Array): XWingPrivateKey {
    if (seed.length !== SEED_BYTES) {
      throw new HoldfastError('KEY_WRONG', `An X-Wing seed has ${SEED_BYTES} bytes, not ${seed.length}.`);
    }
    const expanded = createHash('shake256', { outputLength: ML_KEM_SEED_BYTES + X25519_BYTES })
      .update(seed)
      .digest();
    try {
      return new XWingPrivateKey(
        createPrivateKey({
          key: expanded.subarray(0, ML_KEM_SEED_BYTES),
          format: 'raw-seed',
          asymmetricKeyType: 'ml-kem-768',
        }),
        createPrivateKey({
          key: expanded.subarray(ML_KEM_SEED_BYTES),
          format: 'raw-private',
          asymmetricKeyType: 'x25519',
        }),
      );
    } finally {
      expanded.fill(0);
    }
  }

  /**
   * The secret of 32 bytes, for the caller to wipe. A ciphertext that nobody made for this key gives an unrelated
   * secret and no error, by design of ML-KEM: whoever needs to know has to authenticate something under it.
   * FORMAT_INVALID only for another length than {@link X_WING_CIPHERTEXT_BYTES}, and for a point of low order.
   */
  decapsulate(ciphertext: Uint8Array): Uint8Array {
    if (ciphertext.length !== X_WING_CIPHERTEXT_BYTES) {
      throw new HoldfastError(
        'FORMAT_INVALID',
        `An X-Wing ciphertext has ${X_WING_CIPHERTEXT_BYTES} bytes, not ${ciphertext.length}.`,
      );
    }
    const ephemeral = ciphertext.subarray(ML_KEM_CIPHERTEXT_BYTES);
    const x25519Secret = agree(this.#x25519, importPublic('x25519', ephemeral));
    const mlKemSecret = decapsulate(this.#mlKem, ciphertext.subarray(0, ML_KEM_CIPHERTEXT_BYTES));
    return combine(mlKemSecret, x25519Secret, ephemeral, this.publicKey.subarray(ML_KEM_PUBLIC_BYTES));
  }

  [inspect.custom](): string {
    return 'XWingPrivateKey [secret]';
  }

  toJSON(): string {
    return '[secret]';
  }
}

/**
 * The draft's combiner. ML-KEM's ciphertext and public key need not be hashed in: its own secret depends on both.
 *
 * @param mlKemSecret wiped, and so is the other.
 */
function combine(
  mlKemSecret: Uint8Array,
  x25519Secret: Uint8Array,
  x25519Ciphertext: Uint8Array,
  x25519Public: Uint8Array,
): Uint8Array {
  const hash = createHash('sha3-256').update(mlKemSecret).update(x25519Secret);
  mlKemSecret.fill(0);
  x25519Secret.fill(0);
  return hash.update(x25519Ciphertext).update(x25519Public).update(LABEL).digest();
}

/**
 * X25519. For points of low order, which no honest party sends, the draft would go on with a secret of zeros; OpenSSL
 * refuses them, as RFC 7748 §6.1 allows, so that neither half is ever missing.
 */
function agree(privateKey: KeyObject, publicKey: KeyObject): Uint8Array {
  try {
    return diffieHellman({ privateKey, publicKey });
  } catch (error) {
    throw HoldfastError.from(error, 'FORMAT_INVALID', 'An X25519 key is a point of low order.');
  }
}
