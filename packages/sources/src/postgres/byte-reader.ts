import { type ContentReader, type ReadResult, throwIfAborted } from '@holdfast/contracts';

/** Content that is in memory. */
export class ByteReader implements ContentReader {
  readonly #make: () => Promise<Uint8Array>;
  #bytes: Promise<Uint8Array> | null = null;
  #at = 0;

  constructor(make: () => Promise<Uint8Array>) {
    this.#make = make;
  }

  async read(into: Uint8Array, { signal }: { signal?: AbortSignal } = {}): Promise<ReadResult> {
    throwIfAborted(signal);
    this.#bytes ??= this.#make();
    const bytes = await this.#bytes;
    throwIfAborted(signal);
    const length = Math.min(into.length, bytes.length - this.#at);
    if (length === 0) return { kind: 'end' };
    into.set(bytes.subarray(this.#at, this.#at + length));
    this.#at += length;
    return { kind: 'data', length };
  }

  async close(): Promise<void> {}
}
