import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import {
  HoldfastError,
  type Source,
  type SourceObject,
  type SourceProblem,
  type SourceReport,
  type SourceSnapshot,
  throwIfAborted,
} from '@holdfast/contracts';
import { ownershipAttributes } from '../file/attributes.ts';
import { readError } from '../file/system-errors.ts';
import { EntryObjects } from './entry-objects.ts';
import { compileExcludes, type Exclude } from './exclude-patterns.ts';
import { type TreeEntry, type WalkOptions, walk } from './walk.ts';

export interface TreeSourceOptions {
  /** A directory. */
  readonly path: string;
  /** As in a `.gitignore` at the root. */
  readonly exclude?: readonly string[];
  /** Do not enter directories on other file systems. Default: enter them. */
  readonly oneFileSystem?: boolean;
  /** Leave out the content of directories that hold a CACHEDIR.TAG. Default: keep it. */
  readonly excludeCaches?: boolean;
}

/** The walk is synchronous; after this long it lets sockets and timers have their turn. */
const TURN_MS = 8;

/**
 * A directory and all below it. Not one moment: each file is as it was when read, and one that changes meanwhile is a
 * problem. CONFIG_INVALID for an exclude pattern that makes no sense.
 */
export function treeSource(options: TreeSourceOptions): Source {
  const exclude = compileExcludes(options.exclude ?? []);
  return {
    kind: 'tree',
    test: ({ signal } = {}) => report(options, exclude, signal),
    async open({ signal } = {}) {
      throwIfAborted(signal);
      return openTree(options, exclude);
    },
  };
}

interface Root {
  readonly location: Buffer;
  readonly device: bigint;
  readonly attributes: SourceSnapshot['attributes'];
}

function openRoot(path: string): Root {
  try {
    const location = realpathSync(path, { encoding: 'buffer' });
    const stats = lstatSync(location, { bigint: true });
    if (!stats.isDirectory()) {
      throw new HoldfastError('SOURCE_UNREADABLE', `${path} is not a directory`, {
        hint: 'Name the directory that the file lies in, and exclude the rest.',
      });
    }
    readdirSync(location, { encoding: 'buffer' });
    return {
      location,
      device: stats.dev,
      attributes: { ...ownershipAttributes(stats), mtime: stats.mtimeNs },
    };
  } catch (error) {
    throw readError(error, path);
  }
}

function openTree(options: TreeSourceOptions, exclude: Exclude): SourceSnapshot {
  const root = openRoot(options.path);
  const problems: SourceProblem[] = [];
  const onProblem = (problem: SourceProblem): void => {
    problems.push(problem);
  };
  return {
    attributes: root.attributes,
    estimate: { objects: null, bytes: null },
    problems,
    objects: ({ signal } = {}) => objects(root, walkOptions(options, exclude, onProblem), signal),
    async close() {},
  };
}

function walkOptions(
  options: TreeSourceOptions,
  exclude: Exclude,
  onProblem: (problem: SourceProblem) => void,
): WalkOptions {
  const { oneFileSystem = false, excludeCaches = false } = options;
  return { exclude, oneFileSystem, excludeCaches, onProblem };
}

async function* objects(
  root: Root,
  options: WalkOptions,
  signal?: AbortSignal,
): AsyncGenerator<SourceObject> {
  const entryObjects = new EntryObjects(options.onProblem);
  for await (const entry of inTurns(root, options, signal)) {
    const object = entryObjects.objectOf(entry);
    if (object !== null) yield object;
  }
}

async function* inTurns(root: Root, options: WalkOptions, signal?: AbortSignal): AsyncGenerator<TreeEntry> {
  let turn = performance.now();
  throwIfAborted(signal);
  for (const entry of walk(root.location, root.device, options)) {
    yield entry;
    if (performance.now() - turn < TURN_MS) continue;
    await yieldToOthers();
    throwIfAborted(signal);
    turn = performance.now();
  }
}

async function report(
  options: TreeSourceOptions,
  exclude: Exclude,
  signal?: AbortSignal,
): Promise<SourceReport> {
  throwIfAborted(signal);
  const root = openRoot(options.path);
  const count = { objects: 0, files: 0, directories: 0, unreadable: 0 };
  const onProblem = (): void => {
    count.unreadable += 1;
  };
  let bytes = 0n;
  for await (const { stats } of inTurns(root, walkOptions(options, exclude, onProblem), signal)) {
    count.objects += 1;
    if (stats.isDirectory()) count.directories += 1;
    if (!stats.isFile()) continue;
    count.files += 1;
    bytes += stats.size;
  }
  const { objects, ...facts } = count;
  return { kind: 'tree', bytes: Number(bytes), objects, facts };
}
