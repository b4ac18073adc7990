import type { SlabPool } from '../flow/slab-pool.ts';

/** A reader is offered at least this much room, so that small remainders of a slab are not filled by tiny reads. */
const MIN_ROOM = 64 * 1024;

/**
 * The place in the current slab where content is being read to. Bytes from `start` to `end` are read but not yet cut
 * into chunks; they always lie in one piece. Holds the slab until it moves on to the next.
 */
export class SlabCursor {
  readonly #pool: SlabPool;
  readonly #signal: AbortSignal;
  #slab = -1;
  #start = 0;
  #end = 0;

  constructor(pool: SlabPool, signal: AbortSignal) {
    this.#pool = pool;
    this.#signal = signal;
  }

  get slab(): number {
    return this.#slab;
  }

  get start(): number {
    return this.#start;
  }

  get pendingBytes(): number {
    return this.#end - this.#start;
  }

  /** The bytes not yet cut. */
  pending(): Buffer {
    return this.#pool.view(this.#slab, this.#start, this.pendingBytes);
  }

  view(offset: number, length: number): Buffer {
    return this.#pool.view(this.#slab, offset, length);
  }

  /** Room after the pending bytes, at least `wanted` long; moves what is pending to a new slab when it must. */
  async room(wanted = MIN_ROOM): Promise<Buffer> {
    if (this.#slab < 0 || this.#end + wanted > this.#pool.slabBytes) await this.#next();
    return this.#pool.view(this.#slab, this.#end, this.#pool.slabBytes - this.#end);
  }

  /** `bytes` more have been read into the room. */
  filled(bytes: number): void {
    this.#end += bytes;
  }

  /** The first `bytes` of what is pending are a chunk now; gives their offset in the slab. */
  consume(bytes: number): number {
    const offset = this.#start;
    this.#start += bytes;
    return offset;
  }

  /** Forgets what is pending. */
  discard(): void {
    this.#end = this.#start;
  }

  close(): void {
    if (this.#slab >= 0) this.#pool.release(this.#slab);
    this.#slab = -1;
  }

  async #next(): Promise<void> {
    const slab = await this.#pool.acquire(this.#signal);
    const pending = this.pendingBytes;
    if (pending > 0) this.#pool.view(slab, 0, pending).set(this.pending());
    this.close();
    this.#slab = slab;
    this.#start = 0;
    this.#end = pending;
  }
}
