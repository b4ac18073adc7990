import {
  chmodSync,
  chownSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  lutimesSync,
  utimesSync,
} from 'node:fs';
import type { ObjectHeader } from '@holdfast/contracts';
import { invalid, modeOf, ownerOf } from '../file/attributes.ts';

/** What is set on an entry once its content is there. */
export interface Metadata {
  readonly mode: number | null;
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  /** Seconds since the epoch. */
  readonly mtime: number | null;
}

const SET_ID_BITS = 0o6000;
/** Years 1 to 9999 or so: more than any file system holds. */
const MAX_SECONDS = 2 ** 38;

/** FORMAT_INVALID for values that make no sense. */
export function metadataOf(object: Pick<ObjectHeader, 'path' | 'kind' | 'attributes'>): Metadata {
  const owner = ownerOf(object);
  const mode = modeOf(object);
  const user = process.getuid?.();
  const ours = user === 0 || owner?.uid === user;
  // A program that ran as its owner must not run as whoever restores it.
  const kept = mode === null || ours || object.kind === 'directory' ? mode : mode & ~SET_ID_BITS;
  return { mode: kept, owner: user === 0 ? owner : null, mtime: mtimeOf(object) };
}

/**
 * Node takes times as a double of seconds, which today resolves 0.24 µs: nanoseconds are restored to within that, and
 * never rounded up to a later moment than the file's own by more.
 */
function mtimeOf(object: Pick<ObjectHeader, 'path' | 'attributes'>): number | null {
  const { mtime } = object.attributes;
  if (mtime === undefined || mtime === null) return null;
  if (typeof mtime !== 'bigint' && typeof mtime !== 'number')
    throw invalid(object, 'attribute mtime makes no sense');
  const seconds = Number(mtime) / 1e9;
  if (!(Math.abs(seconds) < MAX_SECONDS)) throw invalid(object, 'attribute mtime makes no sense');
  return seconds;
}

/** Owner first: giving a file away clears its set-id bits. */
export function applyToDescriptor(descriptor: number, { owner, mode, mtime }: Metadata): void {
  if (owner !== null) fchownSync(descriptor, owner.uid, owner.gid);
  if (mode !== null) fchmodSync(descriptor, mode);
  if (mtime !== null) futimesSync(descriptor, mtime, mtime);
}

/** For anything but symbolic links, which it would follow. */
export function applyToPath(location: Buffer, { owner, mode, mtime }: Metadata): void {
  if (owner !== null) chownSync(location, owner.uid, owner.gid);
  if (mode !== null) chmodSync(location, mode);
  if (mtime !== null) utimesSync(location, mtime, mtime);
}

/** Links have no permissions of their own. */
export function applyToLink(location: Buffer, { owner, mtime }: Metadata): void {
  if (owner !== null) lchownSync(location, owner.uid, owner.gid);
  if (mtime !== null) lutimesSync(location, mtime, mtime);
}
