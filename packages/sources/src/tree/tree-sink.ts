import { type Attributes, HoldfastError, pathFromText, type Sink, throwIfAborted } from '@holdfast/contracts';
import { syncTree } from '../file/sync-tree.ts';
import { writeError } from '../file/system-errors.ts';
import { EntryWriter } from './entry-writer.ts';
import { applyToPath, metadataOf } from './metadata.ts';
import { TreeTarget } from './tree-target.ts';

export interface TreeSinkOptions {
  /** Must be absent or an empty directory, unless `overwrite`. */
  readonly path: string;
  /** Replace what is there, as a whole. */
  readonly overwrite: boolean;
}

/** Restores a tree into a directory beside the target, and gives it the target's name when it is complete. */
export function treeSink(options: TreeSinkOptions): Sink {
  let target: TreeTarget | null = null;
  let entries: EntryWriter | null = null;
  let rootAttributes: Attributes = {};
  let finished = false;
  return {
    order: 'any',
    async begin(snapshot, { signal } = {}) {
      throwIfAborted(signal);
      rootAttributes = snapshot.attributes;
      rootMetadata(rootAttributes);
      target = await TreeTarget.prepare(options.path, options.overwrite);
      entries = new EntryWriter(Buffer.from(target.partial));
    },
    async create(object, { signal } = {}) {
      throwIfAborted(signal);
      if (entries === null) throw new HoldfastError('INTERNAL', 'create before begin');
      return entries.create(object);
    },
    async finish({ signal } = {}) {
      throwIfAborted(signal);
      if (target === null || entries === null) throw new HoldfastError('INTERNAL', 'finish before begin');
      if (entries.openWriters > 0)
        throw new HoldfastError('INTERNAL', 'finish before all files are complete');
      entries.applyDirectoryMetadata();
      try {
        applyToPath(Buffer.from(target.partial), rootMetadata(rootAttributes));
        await syncTree(target.partial);
      } catch (error) {
        throw writeError(error, options.path);
      }
      await target.publish();
      finished = true;
    },
    async abort() {
      if (finished) return;
      await entries?.discard();
      await target?.discard();
    },
  };
}

function rootMetadata(attributes: Attributes): ReturnType<typeof metadataOf> {
  return metadataOf({ path: pathFromText('.'), kind: 'directory', attributes });
}
