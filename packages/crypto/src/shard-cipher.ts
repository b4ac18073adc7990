import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import { copyInto, SEAL_OVERHEAD, type SizeClass } from '@holdfast/contracts';
import { DOMAINS, tagged, uint16, uint32 } from './domains.ts';

const ALGORITHM = 'aes-256-gcm';
const OPTIONS = { authTagLength: SEAL_OVERHEAD };
/** One key seals one shard, once: docs/specs/keys.md argues it, and what happens should it ever fail. */
const NONCE = new Uint8Array(12);

/** The place of a shard in its stripe, which its seal vouches for. */
export interface ShardPlace {
  readonly k: number;
  readonly index: number;
  readonly sizeClass: SizeClass;
}

const associatedData = ({ k, index, sizeClass }: ShardPlace): Uint8Array =>
  tagged(DOMAINS.seal, uint16(k), uint16(index), uint32(sizeClass));

/** Fills one shard with AES-256-GCM ciphertext, piece by piece, and the tag. */
export class ShardSealer {
  readonly #cipher;
  readonly #shard: Uint8Array;
  #at = 0;

  constructor(shard: Uint8Array, key: Uint8Array, place: ShardPlace) {
    this.#cipher = createCipheriv(ALGORITHM, createSecretKey(key), NONCE, OPTIONS).setAAD(
      associatedData(place),
    );
    this.#shard = shard;
  }

  write(bytes: Uint8Array): void {
    copyInto(this.#shard, this.#at, this.#cipher.update(bytes));
    this.#at += bytes.length;
  }

  finish(): void {
    this.#cipher.final();
    this.#shard.set(this.#cipher.getAuthTag(), this.#at);
  }
}

/** Reads one shard piece by piece. What it gives is not to be believed before `verify` has said yes. */
export class ShardOpener {
  readonly #decipher;
  readonly #shard: Uint8Array;
  #at = 0;

  constructor(shard: Uint8Array, key: Uint8Array, place: ShardPlace) {
    this.#decipher = createDecipheriv(ALGORITHM, createSecretKey(key), NONCE, OPTIONS)
      .setAAD(associatedData(place))
      .setAuthTag(Uint8Array.from(shard.subarray(shard.length - SEAL_OVERHEAD)));
    this.#shard = shard;
  }

  read(length: number): Uint8Array {
    const bytes = this.#decipher.update(this.#shard.subarray(this.#at, this.#at + length));
    this.#at += length;
    return bytes;
  }

  verify(): boolean {
    try {
      this.#decipher.final();
      return true;
    } catch {
      return false;
    }
  }
}
