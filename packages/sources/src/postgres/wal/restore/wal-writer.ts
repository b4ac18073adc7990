import { chownSync } from 'node:fs';
import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ContentWriter,
  displayPath,
  HoldfastError,
  isSafePath,
  type ObjectHeader,
  type Sink,
  throwIfAborted,
} from '@holdfast/contracts';
import { invalid } from '../../../file/attributes.ts';
import { writeError } from '../../../file/system-errors.ts';
import { parseSegmentName } from '../lsn.ts';
import { type WalInfo, walInfo } from '../wal-info.ts';
import { historyPath, piecePath } from '../wal-source.ts';
import type { Owner } from './base-entries.ts';

const PIECE = /^wal\/[0-9A-F]{8}\/([0-9A-F]{24})\/([0-9A-F]{8})$/;
const MAX_HISTORY = 2 ** 20;

/** Writes snapshots of WAL, one after the other, as segments into one directory: `pg_wal` of a cluster being restored. */
export function walWriter(options: { readonly directory: () => string; readonly owner: Owner | null }): Sink {
  let info: WalInfo | null = null;
  const handles = new Set<FileHandle>();
  const closeAll = async (): Promise<void> => {
    const all = [...handles];
    handles.clear();
    await Promise.all(all.map((handle) => handle.close().catch(() => {})));
  };
  return {
    order: 'any',
    async begin({ attributes }, { signal } = {}) {
      throwIfAborted(signal);
      info = walInfo(attributes);
    },
    async create(object, { signal } = {}) {
      throwIfAborted(signal);
      if (info === null) throw new HoldfastError('INTERNAL', 'create before begin');
      if (!isSafePath(object.path)) throw invalid(object, 'an unsafe path');
      const path = displayPath(object.path);
      if (path === 'info' && object.size === null) return null;
      if (object.kind === 'history' && path === historyPath(info.timeline))
        return historyWriter(join(options.directory(), path.split('/').at(-1)!), options.owner);
      return segmentWriter(object, path, info, options, handles);
    },
    async finish({ signal } = {}) {
      throwIfAborted(signal);
      if (handles.size > 0) throw new HoldfastError('INTERNAL', 'finish before all pieces are complete');
    },
    abort: closeAll,
  };
}

async function segmentWriter(
  object: ObjectHeader,
  path: string,
  { timeline, segmentBytes }: WalInfo,
  options: { readonly directory: () => string; readonly owner: Owner | null },
  handles: Set<FileHandle>,
): Promise<ContentWriter> {
  const match = PIECE.exec(path);
  const segment = match && parseSegmentName(match[1]!, segmentBytes);
  const begin = match ? Number.parseInt(match[2]!, 16) : 0;
  const start = (segment?.start ?? 0n) + BigInt(begin);
  if (
    object.kind !== 'wal' ||
    !segment ||
    begin >= segmentBytes ||
    piecePath(timeline, start, segmentBytes) !== path
  )
    throw invalid(object, 'it is no piece of this WAL');
  const file = join(options.directory(), match![1]!);
  const handle = await attempt(file, () => open(file, 'a+', 0o600)).then(async (made) => {
    await made.close();
    return attempt(file, () => open(file, 'r+'));
  });
  handles.add(handle);
  return {
    async write(offset, bytes) {
      if (begin + offset + bytes.length > segmentBytes)
        throw invalid(object, 'it is longer than its segment');
      await attempt(file, async () => {
        for (let done = 0; done < bytes.length; )
          done += (await handle.write(bytes, done, bytes.length - done, begin + offset + done)).bytesWritten;
      });
    },
    async complete(size) {
      if (begin + size > segmentBytes) throw invalid(object, 'it is longer than its segment');
      await attempt(file, async () => {
        // Segments have their full size always; behind the last piece there are zeros, which end the log.
        await handle.truncate(segmentBytes);
        if (options.owner) await handle.chown(options.owner.uid, options.owner.gid);
        await handle.close();
      });
      handles.delete(handle);
    },
  };
}

function historyWriter(file: string, owner: Owner | null): ContentWriter {
  let content = Buffer.alloc(0);
  return {
    async write(offset, bytes) {
      if (offset + bytes.length > MAX_HISTORY)
        throw new HoldfastError('FORMAT_INVALID', 'A timeline’s history is too long');
      const longer = Buffer.alloc(Math.max(content.length, offset + bytes.length));
      longer.set(content);
      longer.set(bytes, offset);
      content = longer;
    },
    async complete() {
      await attempt(file, () => writeFile(file, content, { mode: 0o600 }));
      if (owner) chownSync(file, owner.uid, owner.gid);
    },
  };
}

async function attempt<T>(file: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw writeError(error, file);
  }
}
