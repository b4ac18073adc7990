import { HoldfastError } from '@holdfast/contracts';
import { GearKernel, WINDOW_BYTES } from './gear-kernel.ts';
import { gearTable } from './gear-table.ts';
import { type ChunkLimits, type ChunkRules, chunkRules, HASH_WINDOW } from './limits.ts';

export interface GearChunkerOptions extends ChunkLimits {
  /** 32 bytes. Equal content is cut equally only under equal keys, so an owner keeps one key for good. */
  readonly key: Uint8Array;
}

/**
 * Cuts a stream of bytes wherever a rolling hash of its last 64 bytes is small, so that an insertion or deletion moves
 * the borders only nearby. Where a chunk ends depends on nothing but the key, the limits and the bytes from its start.
 */
export class GearChunker {
  readonly min: number;
  readonly max: number;
  readonly #rules: ChunkRules;
  readonly #kernel: GearKernel;
  /** Leading bytes of the present chunk known to hold no border; the kernel's hash stands after them. */
  #scanned = 0;

  /** USAGE when the limits do not go together or the key has a wrong length. */
  constructor({ key, ...limits }: GearChunkerOptions) {
    this.#rules = chunkRules(limits);
    this.min = this.#rules.min;
    this.max = this.#rules.max;
    this.#kernel = new GearKernel(gearTable(key), this.#rules.thresholdBefore, this.#rules.thresholdAfter);
  }

  /**
   * The length of the chunk that `bytes` begins with. Null when more bytes are needed to tell: call again with the
   * same bytes and more after them (earlier bytes are not looked at again). With `final`, no more are to come, and what
   * is left is a chunk; 0 when nothing is. Bytes past `max` are ignored. `bytes` may lie in shared memory.
   */
  cut(bytes: Uint8Array, final: boolean): number | null {
    if (bytes.length < this.#scanned) {
      throw new HoldfastError(
        'INTERNAL',
        `A chunk of which ${this.#scanned} bytes were seen now has ${bytes.length}.`,
        {
          hint: 'Call reset() before another stream begins.',
        },
      );
    }
    const length = this.#find(bytes, Math.min(bytes.length, this.max));
    if (length === null && !final) return null;
    this.reset();
    return length ?? bytes.length;
  }

  /** Forgets the present chunk: the next call to `cut` begins another. Needed only when a chunk is given up. */
  reset(): void {
    this.#scanned = 0;
  }

  #find(bytes: Uint8Array, available: number): number | null {
    const { min, max, normal } = this.#rules;
    if (available < min) return null;
    if (this.#scanned === 0) {
      // The first border may lie after byte min, with a hash of as many bytes as every later one.
      this.#kernel.warm(bytes.subarray(min - HASH_WINDOW, min - 1));
      this.#scanned = min - 1;
    }
    while (this.#scanned < available) {
      const start = this.#scanned;
      // A chunk ending with byte i is i + 1 long, so the rules change one byte before the normal length.
      const after = start >= normal - 1;
      const end = Math.min(start + WINDOW_BYTES, available, after ? max : normal - 1);
      const border = this.#kernel.scan(bytes.subarray(start, end), after);
      if (border !== null) return start + border;
      this.#scanned = end;
    }
    return available === max ? max : null;
  }
}
