/** A sum of 128-bit numbers modulo 2^128. */
export class HashTotal {
  /** Words of 32 bits, least first; the sums of many may be larger until they are carried. */
  #words: [number, number, number, number] = [0, 0, 0, 0];

  /** Four words each; at most a million at a time, so that no sum leaves the exact integers. */
  add(hashes: Uint32Array, count: number): void {
    let [a, b, c, d] = this.#words;
    for (let i = 0; i < 4 * count; i += 4) {
      a += hashes[i]!;
      b += hashes[i + 1]!;
      c += hashes[i + 2]!;
      d += hashes[i + 3]!;
    }
    b += Math.floor(a / 2 ** 32);
    c += Math.floor(b / 2 ** 32);
    d += Math.floor(c / 2 ** 32);
    this.#words = [a % 2 ** 32, b % 2 ** 32, c % 2 ** 32, d % 2 ** 32];
  }

  /** 16 bytes, little-endian. */
  bytes(): Uint8Array {
    const bytes = Buffer.alloc(16);
    for (const [i, word] of this.#words.entries()) bytes.writeUInt32LE(word, 4 * i);
    return bytes;
  }
}
