import { displayPath, HoldfastError } from '@holdfast/contracts';
import type { Extent } from './extents.ts';
import { refuse } from './fields.ts';
import type { ObjectRecord } from './object-record.ts';

/**
 * That the extents of each object in a stream add up to its size: an object whose extents fell short would be restored
 * shorter without anybody noticing.
 */
export class ContentCheck {
  readonly #stream: string;
  #object: ObjectRecord | null = null;
  #missing = 0;

  constructor(stream: string) {
    this.#stream = stream;
  }

  begin(object: ObjectRecord): void {
    this.finish();
    this.#object = object;
    this.#missing = object.size;
  }

  add(extents: readonly Extent[]): void {
    this.requireObject();
    for (const { length } of extents) this.#missing -= length;
    if (this.#missing < 0) throw this.#mismatch();
  }

  /** For use within a field reader. */
  requireObject(): void {
    if (this.#object === null) refuse('begins with the content of no object');
  }

  finish(): void {
    if (this.#missing !== 0) throw this.#mismatch();
  }

  #mismatch(): HoldfastError {
    const { path, size } = this.#object!;
    const sum = size - this.#missing;
    return new HoldfastError(
      'FORMAT_INVALID',
      `${this.#stream}: the extents of ${displayPath(path)} add up to ${sum} bytes, not ${size}`,
    );
  }
}
