import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import {
  CacheChecksum,
  CacheExtentsReader,
  type CacheHeader,
  type CacheRecord,
  cacheReader,
  type EncodedObject,
  type Extent,
  encodeCacheBlocks,
  encodeCacheExtents,
  encodeCacheHeader,
  encodeCacheObject,
  encodeCacheRows,
} from '@holdfast/formats';

const BUFFER_BYTES = 256 * 1024;

/** Writes the local list of a snapshot's objects, checksummed, in buffered pieces. */
export class CacheWriter {
  readonly #file: FileHandle;
  readonly #checksum = new CacheChecksum();
  #buffered: Uint8Array[] = [];
  #bufferedBytes = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async create(path: string, header: CacheHeader): Promise<CacheWriter> {
    const writer = new CacheWriter(await open(path, 'w', 0o600));
    await writer.#append(encodeCacheHeader(header));
    return writer;
  }

  object(object: EncodedObject, fingerprint: string | null): Promise<void> {
    return this.#append(encodeCacheObject(object, fingerprint));
  }

  extents(extents: readonly Extent[]): Promise<void> {
    return this.#append(encodeCacheExtents(extents));
  }

  blocks(hashes: Uint8Array): Promise<void> {
    return this.#append(encodeCacheBlocks(hashes));
  }

  rows(span: { start: number; end: number }): Promise<void> {
    return this.#append(encodeCacheRows(span.start, span.end));
  }

  /** No fsync: a cache that power loss tore is noticed by its checksum, and costs one full read of the source. */
  async finish(): Promise<void> {
    await this.#flush();
    await this.#file.appendFile(this.#checksum.end());
    await this.close();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#file.close().catch(() => {});
  }

  async #append(bytes: Uint8Array): Promise<void> {
    this.#buffered.push(bytes);
    this.#bufferedBytes += bytes.length;
    if (this.#bufferedBytes >= BUFFER_BYTES) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#buffered);
    this.#buffered = [];
    this.#bufferedBytes = 0;
    this.#checksum.update(bytes);
    await this.#file.appendFile(bytes);
  }
}

/** Record after record. FORMAT_INVALID, at the end at the latest, when the file is torn. */
export async function* readCache(path: string): AsyncGenerator<CacheRecord, void> {
  const reader = cacheReader();
  for await (const bytes of createReadStream(path, { highWaterMark: BUFFER_BYTES }))
    yield* reader.push(bytes as Buffer);
  reader.end();
}

/** The extents of all objects. FORMAT_INVALID, at the end at the latest, when the file is torn. */
export async function* readCacheExtents(path: string): AsyncGenerator<Extent[], void> {
  const reader = new CacheExtentsReader();
  for await (const bytes of createReadStream(path, { highWaterMark: BUFFER_BYTES }))
    yield reader.push(bytes as Buffer);
  reader.end();
}

export async function readCacheHeader(path: string): Promise<CacheHeader | null> {
  const reader = cacheReader();
  for await (const bytes of createReadStream(path, { end: 4095 })) reader.push(bytes as Buffer);
  return reader.header;
}
