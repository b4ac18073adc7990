import { inspect } from 'node:util';
import { HoldfastError } from '@holdfast/contracts';
import { DOMAINS, framedDomain, tagged } from './domains.ts';
import { GCM_TAG_BYTES, type GcmKey, gcmOpen, gcmSeal } from './gcm.ts';
import { baseKeySchedule, suiteId } from './hpke.ts';
import { X_WING_CIPHERTEXT_BYTES, XWingPrivateKey, XWingPublicKey } from './x-wing.ts';

/** X-Wing, HKDF-SHA256, AES-256-GCM. */
const SUITE = suiteId(0x647a, 0x0001, 0x0002);

/** What a wrapped secret is longer than the secret: the KEM's ciphertext and a tag. */
export const WRAP_OVERHEAD = X_WING_CIPHERTEXT_BYTES + GCM_TAG_BYTES;

const NOTHING = new Uint8Array(0);

export interface WrapContext {
  /** What kind of record this is, with its version: `holdfast/head/v1`; 1 to 255 characters. Another kind's does not open. */
  readonly domain: string;
  /** Not in the record, but vouched for: unwrapping takes the same bytes. */
  readonly associated?: Uint8Array;
}

/**
 * Wraps secrets for whoever holds one private key: HPKE (RFC 9180) in base mode, one message a context. Anyone can wrap,
 * so that a wrapped secret says nothing of who made it: records that have to be believed are signed.
 */
export class HybridWrapper {
  readonly #publicKey: XWingPublicKey;

  private constructor(publicKey: XWingPublicKey) {
    this.#publicKey = publicKey;
  }

  /** FORMAT_INVALID unless these are the 1 216 bytes of an X-Wing public key. */
  static fromPublicKey(bytes: Uint8Array): HybridWrapper {
    return new HybridWrapper(XWingPublicKey.fromBytes(bytes));
  }

  /** {@link WRAP_OVERHEAD} bytes more than the secret, and never the same twice. */
  wrap({ domain, associated = NOTHING }: WrapContext, secret: Uint8Array): Uint8Array {
    const info = infoOf(domain);
    const { sharedSecret, ciphertext } = this.#publicKey.encapsulate();
    return withKeys(sharedSecret, info, (keys) =>
      Buffer.concat([ciphertext, ...gcmSeal(keys, associated, secret)]),
    );
  }
}

export class HybridUnwrapper {
  readonly #privateKey: XWingPrivateKey;

  private constructor(privateKey: XWingPrivateKey) {
    this.#privateKey = privateKey;
  }

  /** @param seed 32 bytes, not kept. The same seed always gives the same keys. */
  static fromSeed(seed: Uint8Array): HybridUnwrapper {
    return new HybridUnwrapper(XWingPrivateKey.fromSeed(seed));
  }

  get publicKey(): Uint8Array {
    return this.#privateKey.publicKey;
  }

  /**
   * The secret, for the caller to wipe. SEAL_BROKEN for another recipient, domain or associated data, and for changed
   * bytes: they are not told apart.
   */
  unwrap({ domain, associated = NOTHING }: WrapContext, wrapped: Uint8Array): Uint8Array {
    const info = infoOf(domain);
    const sharedSecret = this.#decapsulate(domain, wrapped.subarray(0, X_WING_CIPHERTEXT_BYTES));
    return withKeys(sharedSecret, info, (keys) => {
      const secret = gcmOpen(keys, associated, wrapped.subarray(X_WING_CIPHERTEXT_BYTES));
      if (!secret) throw broken(domain);
      return secret;
    });
  }

  #decapsulate(domain: string, ciphertext: Uint8Array): Uint8Array {
    try {
      return this.#privateKey.decapsulate(ciphertext);
    } catch {
      throw broken(domain);
    }
  }

  [inspect.custom](): string {
    return 'HybridUnwrapper [secret]';
  }

  toJSON(): string {
    return '[secret]';
  }
}

const infoOf = (domain: string): Uint8Array => tagged(DOMAINS.wrap, framedDomain(domain));

/** @param sharedSecret wiped, like all that is made of it. */
function withKeys<T>(sharedSecret: Uint8Array, info: Uint8Array, use: (keys: GcmKey) => T): T {
  let keys: GcmKey | undefined;
  try {
    keys = baseKeySchedule(SUITE, sharedSecret, info);
    return use(keys);
  } finally {
    sharedSecret.fill(0);
    keys?.key.fill(0);
    keys?.nonce.fill(0);
  }
}

function broken(domain: string): HoldfastError {
  return new HoldfastError('SEAL_BROKEN', `A wrapped ${domain} does not open.`, {
    hint: 'It was changed, or wrapped for another key.',
  });
}
