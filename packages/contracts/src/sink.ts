import type { Attributes, ObjectHeader } from './source.ts';

/**
 * Writes a snapshot back. Nothing appears at the target under its final name before `finish` has made everything
 * durable; after `abort`, or a crash, the target is as before (leftovers carry `.holdfast-partial` in their names).
 */
export interface Sink {
  /**
   * `any`: pieces of an object come at any offset, several at a time, and several objects are open at once.
   * `ascending`: objects one after the other, bytes in order, for targets that cannot seek.
   */
  readonly order: 'any' | 'ascending';
  /** First call. ALREADY_EXISTS when the target is there and overwriting was not asked for; TARGET_UNWRITABLE. */
  begin(snapshot: { attributes: Attributes }, options?: { signal?: AbortSignal }): Promise<void>;
  /**
   * In the snapshot's order of paths. `size` is the length of the content, null for objects without (their `cut` was
   * null); those give null. FORMAT_INVALID for an unsafe path or attributes that make no sense: they come from outside.
   */
  create(
    object: ObjectHeader & { size: number | null },
    options?: { signal?: AbortSignal },
  ): Promise<ContentWriter | null>;
  /** All objects are written: check what the target itself can check, make it durable, move it into place. */
  finish(options?: { signal?: AbortSignal }): Promise<void>;
  /** Removes what was written so far. Idempotent; does nothing after `finish`. */
  abort(): Promise<void>;
}

export interface ContentWriter {
  /** `bytes` is borrowed until the promise settles. Ranges never overlap. DISK_FULL, TARGET_UNWRITABLE. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** All ranges but holes are written; `size` is the final length. Sets the object's attributes. */
  complete(size: number): Promise<void>;
}
