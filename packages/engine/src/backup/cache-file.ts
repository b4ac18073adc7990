import { createReadStream } from 'node:fs';
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
import { BufferedFile } from './buffered-file.ts';

const BUFFER_BYTES = 256 * 1024;

/** Writes the local list of a snapshot's objects, checksummed, in buffered pieces. */
export class CacheWriter {
  readonly #file: BufferedFile;
  readonly #checksum: CacheChecksum;

  private constructor(file: BufferedFile, checksum: CacheChecksum) {
    this.#file = file;
    this.#checksum = checksum;
  }

  static async create(path: string, header: CacheHeader): Promise<CacheWriter> {
    const checksum = new CacheChecksum();
    const onWrite = (bytes: Uint8Array): void => checksum.update(bytes);
    const file = await BufferedFile.create(path, { bufferBytes: BUFFER_BYTES, onWrite });
    await file.append(encodeCacheHeader(header));
    return new CacheWriter(file, checksum);
  }

  object(object: EncodedObject, fingerprint: string | null): Promise<void> {
    return this.#file.append(encodeCacheObject(object, fingerprint));
  }

  extents(extents: readonly Extent[]): Promise<void> {
    return this.#file.append(encodeCacheExtents(extents));
  }

  blocks(hashes: Uint8Array): Promise<void> {
    return this.#file.append(encodeCacheBlocks(hashes));
  }

  rows(span: { start: number; end: number }): Promise<void> {
    return this.#file.append(encodeCacheRows(span.start, span.end));
  }

  /** No fsync: a cache that power loss tore is noticed by its checksum, and costs one full read of the source. */
  finish(): Promise<void> {
    return this.#file.end(() => this.#checksum.end());
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#file.close();
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
