import { read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import type { WalPages } from './wal-frames.ts';

const readAsync = promisify(read);

export interface PageImageParts {
  readonly database: number;
  readonly log: number | null;
  /** Pages to take from the log; null when the database file alone is the content. */
  readonly walPages: WalPages | null;
  readonly pageSize: number;
  readonly pageCount: number;
}

/** The database's bytes as SQLite sees them within one read transaction. */
export class PageImage {
  readonly #parts: PageImageParts;
  readonly size: number;

  constructor(parts: PageImageParts) {
    this.#parts = parts;
    this.size = parts.pageSize * parts.pageCount;
  }

  get pageSize(): number {
    return this.#parts.pageSize;
  }

  get pagesInLog(): number {
    return this.#parts.walPages?.count ?? 0;
  }

  /** Fills `into` with whole pages from `position` (part of one, if it holds no whole one); returns how many bytes. */
  async read(position: number, into: Uint8Array): Promise<number> {
    const { pageSize } = this.#parts;
    let length = Math.min(into.length, this.size - position);
    const ragged = (position + length) % pageSize;
    if (length > ragged) length -= ragged;
    const target = into.subarray(0, length);
    await this.#readFile(position, target);
    this.#overlay(position, target);
    return length;
  }

  async #readFile(position: number, target: Uint8Array): Promise<void> {
    let done = 0;
    while (done < target.length) {
      const { bytesRead } = await readAsync(
        this.#parts.database,
        target,
        done,
        target.length - done,
        position + done,
      );
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    // The file may be shorter than the database: the rest is in the log, or is free pages that were never written,
    // which SQLite reads as zeros as well.
    target.fill(0, done);
  }

  /** These reads are of pages written lately, so they come from the page cache: faster done here than in a thread. */
  #overlay(position: number, target: Uint8Array): void {
    const { walPages, log, pageSize } = this.#parts;
    if (walPages === null || log === null) return;
    const end = position + target.length;
    for (let i = walPages.indexFrom(Math.floor(position / pageSize) + 1); ; i++) {
      const start = (walPages.pageAt(i) - 1) * pageSize;
      if (start >= end) return;
      const from = Math.max(start, position);
      const to = Math.min(start + pageSize, end);
      const wanted = to - from;
      const got = readSync(log, target, from - position, wanted, walPages.positionAt(i) + from - start);
      if (got !== wanted) throw new Error(`write-ahead log ended early at page ${walPages.pageAt(i)}`);
    }
  }
}
