import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fromHex, HoldfastError, MAX_HEAD_BYTES, type OwnerId, toHex } from '@holdfast/contracts';
import { blake3Hex } from '@holdfast/crypto';
import { diskError, isAbsent } from './disk-errors.ts';
import { KeyedLock } from './keyed-lock.ts';
import type { StoreFiles } from './store-files.ts';

export interface Head {
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

const HASH_BYTES = 32;
const PREFIX_BYTES = HASH_BYTES + 8;
const TEMPORARY = '.tmp';

/** One file per owner: BLAKE3 of the rest (32 bytes), sequence (64 bits, big-endian), the head's bytes. */
export class HeadFiles {
  readonly #files: StoreFiles;
  readonly #directory: string;
  readonly #locks = new KeyedLock<OwnerId>();

  constructor(files: StoreFiles, directory: string) {
    this.#files = files;
    this.#directory = directory;
  }

  /** Removes what a crash left half-written. */
  async open(): Promise<void> {
    for (const name of await this.#files.list(this.#directory)) {
      if (name.endsWith(TEMPORARY)) await this.#files.remove(join(this.#directory, name));
    }
  }

  /** PEER_FAILED when the file has rotted: a wrong head is worse than none. */
  async get(owner: OwnerId): Promise<Head | null> {
    const head = await this.#read(owner);
    if (head === 'rotten')
      throw new HoldfastError('PEER_FAILED', `The head of ${owner} has rotted on this peer’s disk.`);
    return head;
  }

  async #read(owner: OwnerId): Promise<Head | 'rotten' | null> {
    const space = new Uint8Array(PREFIX_BYTES + MAX_HEAD_BYTES + 1);
    try {
      const length = await this.#files.read(join(this.#directory, owner), space, 0, space.length);
      return decodeHead(space.subarray(0, length));
    } catch (error) {
      if (isAbsent(error)) return null;
      throw diskError(error, `reading the head of ${owner}`);
    }
  }

  /** PEER_HEAD_STALE, FORMAT_INVALID. The old head stays whole until the new one is durable in its place. */
  put(owner: OwnerId, head: Head): Promise<void> {
    if (head.bytes.length > MAX_HEAD_BYTES || !Number.isSafeInteger(head.sequence) || head.sequence < 0) {
      const what = `A head of ${head.bytes.length} bytes with sequence ${head.sequence} cannot be kept.`;
      return Promise.reject(new HoldfastError('FORMAT_INVALID', what));
    }
    const bytes = encodeHead(head);
    return this.#locks.run(owner, async () => {
      // A rotten head says nothing any more, not even its sequence; the owner's other peers keep that.
      const read = await this.#read(owner);
      const kept = read === 'rotten' ? null : read;
      if (kept !== null && kept.sequence === head.sequence && Buffer.compare(kept.bytes, head.bytes) === 0)
        return;
      if (kept !== null && head.sequence <= kept.sequence) {
        throw new HoldfastError(
          'PEER_HEAD_STALE',
          `Head ${kept.sequence} is kept already; ${head.sequence} came.`,
        );
      }
      await this.#replace(owner, bytes);
    });
  }

  idle(): Promise<void> {
    return this.#locks.idle();
  }

  async #replace(owner: OwnerId, bytes: Uint8Array): Promise<void> {
    const path = join(this.#directory, owner);
    const temporary = `${path}.${randomUUID()}${TEMPORARY}`;
    try {
      await this.#files.create(temporary, bytes, Date.now());
      await this.#files.rename(temporary, path);
      await this.#files.syncDirectory(this.#directory);
    } catch (error) {
      await this.#files.remove(temporary).catch(() => {});
      throw diskError(error, `keeping the head of ${owner}`);
    }
  }
}

function encodeHead({ sequence, bytes }: Head): Uint8Array {
  const encoded = Buffer.alloc(PREFIX_BYTES + bytes.length);
  encoded.writeBigUInt64BE(BigInt(sequence), HASH_BYTES);
  encoded.set(bytes, PREFIX_BYTES);
  encoded.set(fromHex(blake3Hex(encoded.subarray(HASH_BYTES))), 0);
  return encoded;
}

function decodeHead(encoded: Uint8Array): Head | 'rotten' {
  const whole = encoded.length >= PREFIX_BYTES && encoded.length <= PREFIX_BYTES + MAX_HEAD_BYTES;
  if (!whole || blake3Hex(encoded.subarray(HASH_BYTES)) !== toHex(encoded.subarray(0, HASH_BYTES)))
    return 'rotten';
  const view = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  return { sequence: Number(view.readBigUInt64BE(HASH_BYTES)), bytes: encoded.slice(PREFIX_BYTES) };
}
