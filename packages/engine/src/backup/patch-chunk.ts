import type { ChunkIntake } from './chunk-intake.ts';
import type { ChunkRef, ContentPart } from './chunk-ref.ts';
import type { SlabCursor } from './slab-cursor.ts';

/** As long as an ordinary chunk, so that a restore that needs one block of it does not fetch much more. */
const PATCH_BYTES = 256 * 1024;

/** Gathers changed blocks from all over an object into chunks of their own. */
export class PatchChunk {
  readonly #cursor: SlabCursor;
  readonly #intake: ChunkIntake;
  #open: PromiseWithResolvers<ChunkRef> | null = null;

  /** @param cursor used by nobody else while this is open: its pending bytes are the chunk being gathered. */
  constructor(cursor: SlabCursor, intake: ChunkIntake) {
    this.#cursor = cursor;
    this.#intake = intake;
  }

  /** Copies the block. */
  async append(block: Uint8Array): Promise<ContentPart> {
    if (this.#cursor.pendingBytes + block.length > PATCH_BYTES) await this.close();
    const room = await this.#cursor.room(block.length);
    const offset = this.#cursor.pendingBytes;
    room.set(block);
    this.#cursor.filled(block.length);
    this.#open ??= newPromise();
    return { kind: 'chunk', ref: this.#open.promise, offset, length: block.length };
  }

  /** Stores what was gathered. */
  async close(): Promise<void> {
    const open = this.#open;
    if (!open) return;
    this.#open = null;
    const length = this.#cursor.pendingBytes;
    try {
      const [ref] = await this.#intake.admit(this.#cursor, [{ offset: this.#cursor.start, length }]);
      this.#cursor.consume(length);
      open.resolve(ref!);
    } catch (error) {
      open.reject(error);
      throw error;
    }
  }
}

function newPromise(): PromiseWithResolvers<ChunkRef> {
  const created = Promise.withResolvers<ChunkRef>();
  // The log may have stopped waiting when closing fails; the failure itself reaches the caller of `close`.
  created.promise.catch(() => {});
  return created;
}
