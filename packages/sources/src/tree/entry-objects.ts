import { type BigIntStats, readlinkSync } from 'node:fs';
import type { Attributes, ContentReader, ObjectPath, SourceObject, SourceProblem } from '@holdfast/contracts';
import { ownershipAttributes } from '../file/attributes.ts';
import { isSettled } from '../file/clock-granularity.ts';
import { readError } from '../file/system-errors.ts';
import { openFile } from './file-reader.ts';
import type { TreeEntry } from './walk.ts';

/** Turns directory entries into objects, and remembers which of several hard links came first: it has the content. */
export class EntryObjects {
  readonly #onProblem: (problem: SourceProblem) => void;
  /** By device and inode; an entry goes once all its links were seen. */
  readonly #links = new Map<string, { readonly path: ObjectPath; remaining: bigint }>();

  constructor(onProblem: (problem: SourceProblem) => void) {
    this.#onProblem = onProblem;
  }

  /** Null for what is not backed up: sockets, which mean nothing without their process, and devices (a problem). */
  objectOf(entry: TreeEntry): SourceObject | null {
    const { path, stats } = entry;
    const attributes: Attributes = { ...ownershipAttributes(stats), mtime: stats.mtimeNs };
    if (stats.isFile()) return this.#file(entry, attributes);
    if (stats.isDirectory()) return withoutContent(path, 'directory', attributes);
    if (stats.isSymbolicLink()) return this.#symlink(entry, attributes);
    if (stats.isFIFO()) return withoutContent(path, 'fifo', attributes);
    if (!stats.isSocket()) this.#onProblem({ path, message: 'devices are not backed up; exclude it' });
    return null;
  }

  #symlink({ path, location }: TreeEntry, attributes: Attributes): SourceObject | null {
    try {
      const target = readlinkSync(location, { encoding: 'buffer' });
      return withoutContent(path, 'symlink', { ...attributes, target });
    } catch (error) {
      this.#onProblem({ path, message: readError(error, location).message });
      return null;
    }
  }

  #file(entry: TreeEntry, attributes: Attributes): SourceObject {
    const { path, stats } = entry;
    const shared = stats.nlink > 1n;
    if (shared) {
      const first = this.#firstLink(path, stats);
      if (first !== null) return withoutContent(path, 'hardlink', { ...attributes, target: first });
    }
    return {
      path,
      kind: 'file',
      attributes: shared ? { ...attributes, links: Number(stats.nlink) } : attributes,
      size: Number(stats.size),
      // Also for empty files: whether there is content does not depend on how much.
      cut: { by: 'content' },
      fingerprint: fingerprint(stats),
      open: async () => this.#open(entry),
    };
  }

  #open(entry: TreeEntry): ContentReader {
    try {
      return openFile(entry, (message) => this.#onProblem({ path: entry.path, message }));
    } catch (error) {
      // This object is left out, so that links listed from now on must not refer to it.
      this.#links.delete(inodeOf(entry.stats));
      throw error;
    }
  }

  #firstLink(path: ObjectPath, stats: BigIntStats): ObjectPath | null {
    const key = inodeOf(stats);
    const known = this.#links.get(key);
    if (known === undefined) {
      this.#links.set(key, { path, remaining: stats.nlink - 1n });
      return null;
    }
    known.remaining -= 1n;
    if (known.remaining === 0n) this.#links.delete(key);
    return known.path;
  }
}

const inodeOf = (stats: BigIntStats): string => `${stats.dev}:${stats.ino}`;

function withoutContent(path: ObjectPath, kind: string, attributes: Attributes): SourceObject {
  const open = (): Promise<never> => Promise.reject(new Error(`a ${kind} has no content`));
  return { path, kind, attributes, size: null, cut: null, fingerprint: null, open };
}

/**
 * Writes through a memory map may advance a file's times only when the kernel writes the page out (30 s by default), so
 * for files that are mapped and written without pause equal fingerprints are no proof.
 */
function fingerprint(stats: BigIntStats): string | null {
  if (!isSettled(stats)) return null;
  return `tree1/${stats.ino}/${stats.size}/${stats.mtimeNs}/${stats.ctimeNs}`;
}
