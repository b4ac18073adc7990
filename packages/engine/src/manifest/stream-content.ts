import type { ContentReader, ReadResult } from '@holdfast/contracts';

/** A stream of our own making, read as if it were an object's content. */
export class StreamContent implements ContentReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  async read(into: Uint8Array): Promise<ReadResult> {
    let length = 0;
    while (length < into.length) {
      if (this.#piece.length === 0) {
        const { value, done } = await this.#pieces.next();
        if (done) break;
        this.#piece = value;
      }
      const taken = Math.min(this.#piece.length, into.length - length);
      into.set(this.#piece.subarray(0, taken), length);
      this.#piece = this.#piece.subarray(taken);
      length += taken;
    }
    return length === 0 ? { kind: 'end' } : { kind: 'data', length };
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }
}
