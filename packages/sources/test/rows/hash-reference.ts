import { createCipheriv } from 'node:crypto';

/** The hash of docs/specs/rows.md as plainly as it can be said. */
export class ReferenceHash {
  readonly #stream: Buffer;

  constructor(rowKey: Uint8Array) {
    const counter = Buffer.from('holdfast rows v1');
    this.#stream = createCipheriv('aes-256-ctr', rowKey, counter).update(Buffer.alloc(9 * 1120 + 352 + 32));
  }

  hash(string: Uint8Array): Buffer {
    const cipher = createCipheriv('aes-256-ecb', this.#stream.subarray(10_432), null).setAutoPadding(false);
    return cipher.update(this.universal(string));
  }

  universal(string: Uint8Array): Buffer {
    let digests = Buffer.from(string);
    let level = 0;
    do {
      const blocks = Array.from({ length: Math.ceil(digests.length / 1024) }, (_, i) =>
        digests.subarray(1024 * i, 1024 * (i + 1)),
      );
      digests = Buffer.concat(blocks.map((block) => this.#nh(block, 1120 * level)));
      level++;
    } while (digests.length > 32);
    return this.#fold(digests, string.length);
  }

  #nh(block: Buffer, key: number): Buffer {
    const padded = Buffer.concat([block, Buffer.alloc(-block.length & 31)]);
    const digest = Buffer.alloc(32);
    const word = (i: number, pass: number) =>
      (padded.readUInt32LE(4 * i) + this.#stream.readUInt32LE(key + 4 * i + 32 * pass)) % 2 ** 32;
    for (let pass = 0; pass < 4; pass++) {
      let sum = 0n;
      for (let group = 0; group < padded.length / 4; group += 8) {
        for (let i = group; i < group + 4; i++) sum += BigInt(word(i, pass)) * BigInt(word(i + 4, pass));
      }
      digest.writeBigUInt64LE(sum % 2n ** 64n, 8 * pass);
    }
    return digest;
  }

  #fold(digest: Buffer, length: number): Buffer {
    const words = Buffer.concat([digest, Buffer.alloc(8)]);
    words.writeBigUInt64LE(BigInt(length), 32);
    const folded = Buffer.alloc(16);
    for (let i = 0; i < 4; i++) {
      const key = (j: number) => this.#stream.readBigUInt64LE(10_080 + 88 * i + 8 * j);
      let sum = key(0);
      for (let j = 0; j < 10; j++) sum += BigInt(words.readUInt32LE(4 * j)) * key(j + 1);
      folded.writeUInt32LE(Number((sum >> 32n) % 2n ** 32n), 4 * i);
    }
    return folded;
  }
}
