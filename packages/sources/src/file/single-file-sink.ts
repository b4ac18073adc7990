import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import {
  type ContentWriter,
  HoldfastError,
  isSafePath,
  type ObjectHeader,
  type Sink,
  throwIfAborted,
} from '@holdfast/contracts';
import { invalid, modeOf, ownerOf } from './attributes.ts';
import { PartialFile } from './partial-file.ts';
import { writeError } from './system-errors.ts';

export interface FileTarget {
  readonly path: string;
  readonly overwrite: boolean;
}

/** What makes a file of one kind more than bytes. */
export interface FileKind {
  /** Object kinds that it takes. */
  readonly accepts: readonly string[];
  /** ALREADY_EXISTS for files beside the target that must not be there. */
  checkTarget?(target: string, overwrite: boolean): void;
  /** Checks the finished bytes. FORMAT_INVALID. */
  checkContent?(file: PartialFile, size: number, object: ObjectHeader): Promise<void>;
  /** Last step before the new file takes the target's name. */
  clearTarget?(target: string): Promise<void>;
}

/** Writes the one object of a snapshot to one file. */
export function singleFileSink(options: FileTarget, kind: FileKind): Sink {
  let target = '';
  let file: PartialFile | null = null;
  let object: ObjectHeader | null = null;
  let size: number | null = null;
  let finished = false;
  return {
    order: 'any',
    async begin(_snapshot, { signal } = {}) {
      throwIfAborted(signal);
      target = resolveTarget(options.path);
      if (!options.overwrite && exists(target)) throw alreadyExists(target);
      kind.checkTarget?.(target, options.overwrite);
      file = await PartialFile.create(target);
    },
    async create(header, { signal } = {}) {
      throwIfAborted(signal);
      if (file === null) throw new HoldfastError('INTERNAL', 'create before begin');
      if (!isSafePath(header.path)) throw invalid(header, 'an unsafe path');
      if (header.size === null || !kind.accepts.includes(header.kind)) {
        throw invalid(header, `a ${header.kind} cannot be restored to a single file`);
      }
      if (object !== null) throw invalid(header, 'a second object cannot be restored to the same file');
      modeOf(header);
      ownerOf(header);
      object = header;
      return fileWriter(file, (length) => {
        size = length;
      });
    },
    async finish({ signal } = {}) {
      throwIfAborted(signal);
      if (file === null || object === null || size === null) {
        throw new HoldfastError('FORMAT_INVALID', `The snapshot holds nothing that could become ${target}`);
      }
      await file.assertOurs();
      await kind.checkContent?.(file, size, object);
      await file.setOwnership(ownerOf(object), modeOf(object));
      await file.sync();
      await file.assertOurs();
      await kind.clearTarget?.(target);
      await file.publish();
      finished = true;
    },
    async abort() {
      if (!finished) await file?.discard();
    },
  };
}

/** The target with symbolic links resolved, so that the file it stands for is replaced and not the link. */
function resolveTarget(path: string): string {
  const absolute = resolve(path);
  try {
    const target = exists(absolute)
      ? realpathSync(absolute)
      : join(realpathSync(dirname(absolute)), basename(absolute));
    if (existsSync(target) && !lstatSync(target).isFile()) {
      throw new HoldfastError('TARGET_UNWRITABLE', `${path} is there and is not a file`, {
        hint: 'Name a file, or a name that is not in use.',
      });
    }
    return target;
  } catch (error) {
    throw writeError(error, path);
  }
}

const exists = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

export function alreadyExists(target: string): HoldfastError {
  return new HoldfastError('ALREADY_EXISTS', `${target} is there already`, {
    hint: 'Restore to another name, or ask for overwriting.',
  });
}

function fileWriter(file: PartialFile, completed: (size: number) => void): ContentWriter {
  return {
    write: (offset, bytes) => file.write(offset, bytes),
    async complete(size) {
      await file.truncate(size);
      completed(size);
    },
  };
}

/** For what came from standard input, restored to a file. */
export function fileSink(options: FileTarget): Sink {
  return singleFileSink(options, { accepts: ['stream', 'file'] });
}
