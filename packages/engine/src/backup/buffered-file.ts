import { type FileHandle, open } from 'node:fs/promises';

export interface BufferedFileOptions {
  /** So much is gathered before it is written. */
  readonly bufferBytes: number;
  /** Told of all bytes, in order, before they are written. */
  readonly onWrite?: (bytes: Uint8Array) => void;
}

/** A new file of this user's alone, written from its beginning to its end in pieces of some length. */
export class BufferedFile {
  readonly #file: FileHandle;
  readonly #options: BufferedFileOptions;
  #buffered: Uint8Array[] = [];
  #bufferedBytes = 0;

  private constructor(file: FileHandle, options: BufferedFileOptions) {
    this.#file = file;
    this.#options = options;
  }

  static async create(path: string, options: BufferedFileOptions): Promise<BufferedFile> {
    return new BufferedFile(await open(path, 'w', 0o600), options);
  }

  /** Keeps the bytes until they are written. */
  async append(bytes: Uint8Array): Promise<void> {
    this.#buffered.push(bytes);
    this.#bufferedBytes += bytes.length;
    if (this.#bufferedBytes >= this.#options.bufferBytes) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#buffered);
    this.#buffered = [];
    this.#bufferedBytes = 0;
    this.#options.onWrite?.(bytes);
    await this.#file.appendFile(bytes);
  }

  /** Writes everything, then what `last` makes of it, which `onWrite` is not told of, and closes. */
  async end(last: () => Uint8Array = () => new Uint8Array(0)): Promise<void> {
    await this.#flush();
    await this.#file.appendFile(last());
    await this.close();
  }

  /** What was not flushed is lost. Idempotent. */
  async close(): Promise<void> {
    await this.#file.close().catch(() => {});
  }
}
