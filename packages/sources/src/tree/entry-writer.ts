import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, renameSync, symlinkSync } from 'node:fs';
import {
  type ContentWriter,
  comparePaths,
  isSafePath,
  type ObjectHeader,
  type ObjectPath,
} from '@holdfast/contracts';
import { invalid } from '../file/attributes.ts';
import { writeError } from '../file/system-errors.ts';
import { FileWriter } from './file-writer.ts';
import { applyToLink, applyToPath, type Metadata, metadataOf } from './metadata.ts';

const SLASH = Buffer.from('/');
const NUL = 0;
const MAX_LINK_BYTES = 4095;

/**
 * Makes the entries of a tree below one directory. Names and link targets are hostile. Every entry's parent must be a
 * directory that was made here, so that nothing is ever written through a symbolic link; and a hard link
 * gets only to a file that was made here.
 */
export class EntryWriter {
  readonly #root: Buffer;
  /** The directories on the way down to the last entry: with entries in order no others can get more. */
  readonly #parents: ObjectPath[] = [];
  readonly #directories: { readonly location: Buffer; readonly metadata: Metadata }[] = [];
  /** Files with more than one link, by path. */
  readonly #linkable = new Map<string, Buffer>();
  readonly #writers = new Set<FileWriter>();
  #last: ObjectPath | null = null;

  constructor(root: Buffer) {
    this.#root = root;
  }

  /** FORMAT_INVALID, DISK_FULL, TARGET_UNWRITABLE. */
  create(object: ObjectHeader & { size: number | null }): ContentWriter | null {
    this.#checkPath(object);
    const location = Buffer.concat([this.#root, SLASH, object.path]);
    const metadata = metadataOf(object);
    if (object.kind === 'file') return this.#file(object, location, metadata);
    try {
      this.#withoutContent(object, location, metadata);
    } catch (error) {
      throw writeError(error, object.path);
    }
    return null;
  }

  get openWriters(): number {
    return this.#writers.size;
  }

  /** Directories last, and children before parents: making an entry changes its directory's time. */
  applyDirectoryMetadata(): void {
    for (let last = this.#directories.pop(); last !== undefined; last = this.#directories.pop()) {
      try {
        applyToPath(last.location, last.metadata);
      } catch (error) {
        throw writeError(error, last.location);
      }
    }
  }

  async discard(): Promise<void> {
    await Promise.all([...this.#writers].map((writer) => writer.discard()));
  }

  #checkPath(object: ObjectHeader): void {
    const { path } = object;
    if (!isSafePath(path)) throw invalid(object, 'an unsafe path');
    if (this.#last !== null && comparePaths(this.#last, path) >= 0)
      throw invalid(object, 'paths are out of order');
    this.#last = path;
    const slash = path.lastIndexOf(SLASH[0]!);
    const parent = slash < 0 ? null : path.subarray(0, slash);
    while (this.#parents.length > 0 && (parent === null || !isWithin(this.#parents.at(-1)!, parent))) {
      this.#parents.pop();
    }
    const known = this.#parents.at(-1);
    if (parent !== null && (known === undefined || comparePaths(known, parent) !== 0)) {
      throw invalid(object, 'it does not lie in a directory of the snapshot');
    }
  }

  #file(object: ObjectHeader, location: Buffer, metadata: Metadata): ContentWriter {
    const writer = new FileWriter(location, metadata, (closed) => this.#writers.delete(closed));
    this.#writers.add(writer);
    const { links } = object.attributes;
    if (typeof links === 'number' && links > 1) this.#linkable.set(keyOf(object.path), location);
    return writer;
  }

  #withoutContent(object: ObjectHeader, location: Buffer, metadata: Metadata): void {
    switch (object.kind) {
      case 'directory':
        mkdirSync(location, 0o700);
        this.#parents.push(object.path);
        this.#directories.push({ location, metadata });
        return;
      case 'symlink':
        symlinkSync(linkTarget(object), location);
        applyToLink(location, metadata);
        return;
      case 'hardlink': {
        const target = linkTarget(object);
        if (!isSafePath(target) || comparePaths(target, object.path) >= 0)
          throw invalid(object, 'it cannot link there');
        // Unknown when the file could not be read, for which the snapshot is marked incomplete; then the link is
        // left out as well. Never a link to what was there before, or lies behind a symbolic link.
        const file = this.#linkable.get(keyOf(target));
        if (file !== undefined) linkSync(file, location);
        return;
      }
      case 'fifo':
        this.#makeFifo(location);
        applyToPath(location, metadata);
        return;
      default:
        throw invalid(object, `a ${object.kind} cannot be restored to a directory`);
    }
  }

  /** By the system's command, since Node has no call for it; under a plain name first, for arguments must be text. */
  #makeFifo(location: Buffer): void {
    const plain = `${this.#root.toString()}-fifo`;
    execFileSync('mkfifo', ['-m', '600', '--', plain], { stdio: 'ignore' });
    renameSync(plain, location);
  }
}

const keyOf = (path: Uint8Array): string => Buffer.from(path).toString('latin1');

function isWithin(directory: ObjectPath, path: ObjectPath): boolean {
  if (path.length < directory.length || Buffer.compare(path.subarray(0, directory.length), directory) !== 0)
    return false;
  return path.length === directory.length || path[directory.length] === SLASH[0];
}

function linkTarget(object: ObjectHeader): Buffer {
  const { target } = object.attributes;
  if (
    !(target instanceof Uint8Array) ||
    target.length === 0 ||
    target.length > MAX_LINK_BYTES ||
    target.includes(NUL)
  ) {
    throw invalid(object, 'attribute target makes no sense');
  }
  return Buffer.from(target.buffer, target.byteOffset, target.length);
}
