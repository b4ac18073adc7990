const COPY_DATA = 0x64; // d
const COPY_DONE = 0x63; // c
const ERROR = 0x45; // E
const HEADER = 5;
/** Signature, flags, no extension. */
const PREAMBLE = 19;
/** The message length of a trailer: its own four bytes and −1 as 16 bits. No row of at least one field is as short. */
const TRAILER = 6;

export interface Seam {
  /** Another COPY was before. */
  readonly dropHeader: boolean;
  /** Another COPY follows. */
  readonly dropTrailer: boolean;
}

/** Takes header and trailer of the binary format out of a stream of CopyData messages, so that streams can be joined. */
export class SeamFilter {
  #dropHeader: boolean;
  readonly #dropTrailer: boolean;
  /** The beginning of a message, of which too little has come to tell what it is. */
  #held: Buffer | null = null;
  /** Of the present message, still to come. */
  #payload = 0;
  #over = false;

  constructor({ dropHeader, dropTrailer }: Seam) {
    this.#dropHeader = dropHeader;
    this.#dropTrailer = dropTrailer;
  }

  /** What is left of the bytes, in order. */
  push(bytes: Buffer): Buffer[] {
    let rest = this.#held ? Buffer.concat([this.#held, bytes]) : bytes;
    this.#held = null;
    const kept: Buffer[] = [];
    if (this.#dropHeader && this.#payload === 0 && !this.#over && rest[0] === COPY_DATA) {
      if (rest.length < HEADER + PREAMBLE) {
        this.#held = rest;
        return kept;
      }
      rest = withoutPreamble(rest);
      this.#dropHeader = false;
    }
    this.#walk(rest, kept);
    return kept;
  }

  #walk(bytes: Buffer, kept: Buffer[]): void {
    let from = 0;
    let at = 0;
    while (!this.#over) {
      const step = Math.min(this.#payload, bytes.length - at);
      at += step;
      this.#payload -= step;
      if (at === bytes.length) break;
      if (bytes.length - at < HEADER && bytes[at] !== COPY_DONE && bytes[at] !== ERROR) {
        this.#held = bytes.subarray(at);
        break;
      }
      const type = bytes[at];
      const length = type === COPY_DONE || type === ERROR ? 0 : bytes.readUInt32BE(at + 1);
      if (type === COPY_DONE || type === ERROR) this.#over = true;
      else if (this.#dropTrailer && type === COPY_DATA && length === TRAILER) {
        if (bytes.length - at < 1 + TRAILER) {
          this.#held = bytes.subarray(at);
          break;
        }
        if (at > from) kept.push(bytes.subarray(from, at));
        at += 1 + TRAILER;
        from = at;
      } else {
        at += HEADER;
        this.#payload = length - 4;
      }
    }
    const end = this.#over ? bytes.length : this.#held ? at : bytes.length;
    if (end > from) kept.push(bytes.subarray(from, end));
  }
}

/** The same first message with its payload shorter. */
function withoutPreamble(bytes: Buffer): Buffer {
  const rest = Buffer.from(bytes.subarray(PREAMBLE));
  rest[0] = COPY_DATA;
  rest.writeUInt32BE(bytes.readUInt32BE(1) - PREAMBLE, 1);
  return rest;
}
