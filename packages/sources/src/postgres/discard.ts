const COPY_DATA = 0x64; // d
const HEADER = 5;

/** Takes messages of rows like an intake, from the beginning of one on, and keeps nothing. */
export class Discard {
  #header = Buffer.alloc(HEADER);
  #have = 0;
  #payload = 0;
  atOther = false;

  push(bytes: Uint8Array): number {
    let at = 0;
    this.atOther = false;
    while (at < bytes.length) {
      const step = Math.min(this.#payload, bytes.length - at);
      at += step;
      this.#payload -= step;
      if (at === bytes.length) break;
      if (this.#have === 0 && bytes[at] !== COPY_DATA) {
        this.atOther = true;
        break;
      }
      this.#header[this.#have++] = bytes[at++]!;
      if (this.#have < HEADER) continue;
      this.#have = 0;
      this.#payload = this.#header.readUInt32BE(1) - 4;
    }
    return at;
  }
}
