import { type ContentReader, copyInto, type ReadResult, throwIfAborted } from '@holdfast/contracts';
import { isPageSound } from './page-checksum.ts';

/** Bytes asked for at a time. */
export const PIECE_BYTES = 2 ** 20;
const PAGES_PER_GIB = 2 ** 30;
const REREADS = 3;

export interface FileToRead {
  readonly size: number;
  /** At most `length` bytes from `offset`; null when the file is gone. */
  readonly read: (offset: number, length: number) => Promise<Buffer | null>;
  /** Null for files that are not pages with checksums. */
  readonly pages: PageRules | null;
  readonly onEnd: () => void;
}

export interface PageRules {
  readonly blockBytes: number;
  /** Number of the file among its relation's. */
  readonly segment: number;
  readonly startLsn: bigint;
  readonly onBadPage: (block: number) => void;
}

/**
 * A file that is being written to. It is read to the size that it had when it was listed; if it has become shorter, or
 * is gone, zeros take the place of the rest: whatever happened since the backup began is in the WAL, which mends it.
 */
export function clusterFileReader(file: FileToRead): ContentReader {
  let position = 0;
  let piece: Buffer = Buffer.alloc(0);
  let cut = false;
  let ahead: Promise<Buffer | null> | null = null;
  let closed = false;
  const end = (): void => {
    if (!closed) file.onEnd();
    closed = true;
  };
  const fetch = (offset: number): Promise<Buffer | null> => {
    const fetching = soundPiece(file, offset, Math.min(PIECE_BYTES, file.size - offset));
    fetching.catch(() => {});
    return fetching;
  };
  const nextPiece = async (): Promise<void> => {
    const got = await (ahead ?? fetch(position));
    const wanted = Math.min(PIECE_BYTES, file.size - position);
    piece = got ?? Buffer.alloc(0);
    cut = piece.length < wanted;
    const next = position + piece.length;
    ahead = cut || next >= file.size ? null : fetch(next);
  };
  return {
    async read(into, { signal } = {}): Promise<ReadResult> {
      throwIfAborted(signal);
      let filled = 0;
      while (filled < into.length && position < file.size) {
        if (piece.length === 0 && !cut) await nextPiece();
        throwIfAborted(signal);
        if (piece.length === 0) break;
        const part = piece.subarray(0, into.length - filled);
        copyInto(into, filled, part);
        piece = piece.subarray(part.length);
        filled += part.length;
        position += part.length;
      }
      if (filled > 0) return { kind: 'data', length: filled };
      const length = file.size - position;
      position = file.size;
      if (length > 0) return { kind: 'hole', length };
      end();
      return { kind: 'end' };
    },
    async close() {
      end();
    },
  };
}

/** Read again where a page has a wrong checksum: perhaps it was just being written. */
async function soundPiece(file: FileToRead, offset: number, length: number): Promise<Buffer | null> {
  for (let tries = 0; ; tries++) {
    const piece = await file.read(offset, length);
    if (piece === null || file.pages === null) return piece;
    const bad = badPages(piece, offset, file.pages);
    if (bad.length === 0) return piece;
    if (tries < REREADS) continue;
    for (const block of bad) file.pages.onBadPage(block);
    return piece;
  }
}

export function badPages(piece: Buffer, offset: number, rules: PageRules): number[] {
  const { blockBytes, segment, startLsn } = rules;
  const first = segment * (PAGES_PER_GIB / blockBytes) + offset / blockBytes;
  const bad: number[] = [];
  for (let at = 0; at + blockBytes <= piece.length; at += blockBytes) {
    const block = first + at / blockBytes;
    if (!isPageSound(piece.subarray(at, at + blockBytes), block, startLsn)) bad.push(block);
  }
  return bad;
}
