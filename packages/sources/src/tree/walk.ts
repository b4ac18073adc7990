import { type BigIntStats, closeSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { type ObjectPath, pathFromText, type SourceProblem } from '@holdfast/contracts';
import { readError, systemCode } from '../file/system-errors.ts';
import type { Exclude } from './exclude-patterns.ts';

export interface TreeEntry {
  /** Relative to the root. */
  readonly path: ObjectPath;
  /** With the root, for system calls. */
  readonly location: Buffer;
  readonly stats: BigIntStats;
}

export interface WalkOptions {
  readonly exclude: Exclude;
  /** Do not enter directories on other file systems than the root's; they appear empty. */
  readonly oneFileSystem: boolean;
  /** Of directories marked as caches (https://bford.info/cachedir/) take the mark only. */
  readonly excludeCaches: boolean;
  readonly onProblem: (problem: SourceProblem) => void;
}

interface Level {
  readonly path: Buffer;
  readonly location: Buffer;
  readonly names: readonly Buffer[];
  next: number;
}

const SLASH = Buffer.from('/');
const NONE = Buffer.alloc(0);
const CACHE_TAG = Buffer.from('CACHEDIR.TAG');
const CACHE_SIGNATURE = Buffer.from('Signature: 8a477f597d28d172789f06886806bc55');

/**
 * Every entry below `root` in the order of `comparePaths`; symbolic links are not followed. Memory holds the names of the
 * directories on the way down, no more. Synchronous on purpose: 35 000 entries take 0.13 s like this, and 0.3 s with
 * promises on a thread pool.
 */
export function* walk(root: Buffer, device: bigint, options: WalkOptions): Generator<TreeEntry> {
  const levels: Level[] = [openLevel(NONE, root, options)];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const name = level.names[level.next++];
    if (name === undefined) {
      levels.pop();
      continue;
    }
    const path = level.path.length === 0 ? name : Buffer.concat([level.path, SLASH, name]);
    const location = Buffer.concat([level.location, SLASH, name]);
    const stats = statEntry(path, location, options);
    if (stats === null) continue;
    const isDirectory = stats.isDirectory();
    if (options.exclude(path.toString('latin1'), isDirectory)) continue;
    yield { path, location, stats };
    if (isDirectory && (!options.oneFileSystem || stats.dev === device)) {
      levels.push(openLevel(path, location, options));
    }
  }
}

function openLevel(path: Buffer, location: Buffer, options: WalkOptions): Level {
  let names: Buffer[] = [];
  try {
    names = readdirSync(location, { encoding: 'buffer' }).sort(Buffer.compare);
    if (options.excludeCaches && isCache(location, names)) names = [CACHE_TAG];
  } catch (error) {
    // The root itself was read when the snapshot began, so an empty path means that it went away since.
    options.onProblem({
      path: path.length > 0 ? path : pathFromText('.'),
      message: readError(error, location).message,
    });
  }
  return { path, location, names, next: 0 };
}

function statEntry(path: Buffer, location: Buffer, options: WalkOptions): BigIntStats | null {
  try {
    return lstatSync(location, { bigint: true });
  } catch (error) {
    // Gone since its directory was listed: as if removed before, and no loss.
    if (systemCode(error) !== 'ENOENT')
      options.onProblem({ path, message: readError(error, location).message });
    return null;
  }
}

function isCache(location: Buffer, names: readonly Buffer[]): boolean {
  if (!names.some((name) => name.equals(CACHE_TAG))) return false;
  const start = Buffer.alloc(CACHE_SIGNATURE.length);
  const descriptor = openSync(Buffer.concat([location, SLASH, CACHE_TAG]), 'r');
  try {
    return readSync(descriptor, start) === start.length && start.equals(CACHE_SIGNATURE);
  } finally {
    closeSync(descriptor);
  }
}
