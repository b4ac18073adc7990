import { createCipheriv } from 'node:crypto';
import { logText, word } from './chat-text.ts';
import type { SeededRandom } from './random.ts';

export interface Attachment {
  readonly name: string;
  readonly mediaType: string;
  readonly content: Uint8Array;
}

const KiB = 1024;
const ZEROS = Buffer.alloc(512 * KiB);
/** Pictures that go round: posted again and again, byte for byte the same. */
const MEMES = 12;

/** What people attach: mostly compressed already (photos, archives), some text, and the same few pictures over and over. */
export class Attachments {
  readonly #random: SeededRandom;
  readonly #memes: Attachment[];
  readonly #log: Buffer;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#memes = Array.from({ length: MEMES }, () => this.#picture('gif', 60 * KiB));
    // One long text of which each log file is a part: making every one anew would take most of the demo's time.
    this.#log = Buffer.from(logText(random, 20_000));
  }

  next(): Attachment {
    const kind = this.#random.below(100);
    if (kind < 50) return this.#picture('jpeg', 120 * KiB);
    if (kind < 65) return this.#memes[this.#random.skewedBelow(MEMES)]!;
    if (kind < 80) return this.#archive();
    return this.#text();
  }

  #picture(format: string, typical: number): Attachment {
    const header = format === 'gif' ? 'GIF89a' : '\xff\xd8\xff\xe0\0\x10JFIF\0';
    const content = Buffer.concat([Buffer.from(header, 'latin1'), this.#noise(this.#size(typical))]);
    return {
      name: `${word(this.#random)}-${this.#random.below(9000)}.${format}`,
      mediaType: `image/${format}`,
      content,
    };
  }

  #archive(): Attachment {
    const content = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), this.#noise(this.#size(90 * KiB))]);
    return { name: `${word(this.#random)}.zip`, mediaType: 'application/zip', content };
  }

  #text(): Attachment {
    const length = this.#size(80 * KiB);
    const from = this.#random.below(this.#log.length - length);
    const content = this.#log.subarray(from, from + length);
    return { name: `${word(this.#random)}.log`, mediaType: 'text/plain', content };
  }

  #size(typical: number): number {
    return Math.floor(typical / 4) + this.#random.skewedBelow(typical * 3);
  }

  /** As incompressible as a photo: an AES key stream, the quickest source of such bytes. */
  #noise(length: number): Buffer {
    const key = Buffer.alloc(16);
    for (let i = 0; i < 16; i += 4) key.writeUInt32LE(this.#random.next(), i);
    return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(ZEROS.subarray(0, length));
  }
}
