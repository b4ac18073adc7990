import type { Writable } from 'node:stream';
import { writeError } from '../file/system-errors.ts';

/** A stream that belongs to somebody else, to which bytes are written with back-pressure. TARGET_UNWRITABLE, DISK_FULL. */
export class StreamOutput {
  readonly #stream: Writable;
  #failure: unknown = null;
  #reject: ((error: unknown) => void) | null = null;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', this.#onError);
    stream.on('close', this.#onClose);
  }

  readonly #onError = (error: unknown): void => {
    this.#failure ??= error;
    this.#reject?.(this.#failure);
  };

  readonly #onClose = (): void => this.#onError(new Error('it was closed'));

  /** Resolves when the stream no longer needs `bytes`, which holds a fast writer back as well. */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        if (this.#failure !== null) throw this.#failure;
        this.#reject = reject;
        this.#stream.write(bytes, (error) => (error ? reject(error) : resolve()));
      });
    } catch (error) {
      throw writeError(error, 'the output');
    } finally {
      this.#reject = null;
    }
  }

  release(): void {
    this.#stream.off('close', this.#onClose);
  }
}
