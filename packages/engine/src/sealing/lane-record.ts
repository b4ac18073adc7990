import type { PartitionLabel, SizeClass } from '@holdfast/contracts';
import { wipe } from '@holdfast/crypto';
import type {
  ChunkEntry,
  FramePart,
  OpenRequest,
  SealedFrame,
  StripeIdentity,
  StripeState,
  ToWorker,
} from './protocol.ts';

interface Filling extends StripeState {
  readonly frames: SealedFrame[];
  closing: SizeClass | null;
}

/**
 * What a lane's thread was given and what it has told: with the arenas' memory all that another thread needs to go on in its
 * place. A thread tells of each step before it builds on it, so this is never behind anything that left the thread.
 */
export class LaneRecord {
  /** Not begun as far as known. One that was begun and not told of was never sealed under: it may be begun again. */
  readonly #identities = new Map<number, StripeIdentity>();
  /** Arenas for stripes that are not begun as far as known. */
  readonly #free = new Set<number>();
  readonly #opened = new Map<number, OpenRequest>();
  #stripe: Filling | null = null;

  /** The stripe that is being filled, or sealed. */
  get stripe(): StripeState | null {
    return this.#stripe;
  }

  opened(handle: number): OpenRequest | undefined {
    return this.#opened.get(handle);
  }

  /** The thread is sent this. */
  given(message: ToWorker): void {
    if (message.type === 'identity') this.#identities.set(message.identity.number, message.identity);
    else if (message.type === 'release') this.#free.add(message.arena);
    else if (message.type === 'forget') this.#opened.delete(message.handle);
  }

  /** Parts of a frame stand in stripes, and the first of `chunks` in them. */
  placed(parts: readonly FramePart[], chunks: readonly ChunkEntry[], label: PartitionLabel | null): void {
    let first = 0;
    for (const part of parts) {
      this.#append(part, chunks.slice(first, first + part.chunks), label);
      first += part.chunks;
    }
  }

  closing(sizeClass: SizeClass): void {
    this.#stripe!.closing = sizeClass;
  }

  /** The stripe as it was sealed. */
  sealed(): StripeState {
    const stripe = this.#stripe!;
    this.#stripe = null;
    return stripe;
  }

  /** A stripe that was made in one go lies in this arena. */
  resealed(arena: number): void {
    this.#free.delete(arena);
  }

  hasOpened(request: OpenRequest): void {
    this.#opened.set(request.handle, request);
  }

  /** Overwrites the package keys that are left. The record is of no more use. */
  destroy(): void {
    for (const { packageKey } of this.#identities.values()) wipe(packageKey);
    if (this.#stripe) wipe(this.#stripe.identity.packageKey);
  }

  /** What a new thread has to be told before its first job. */
  *toldAgain(): Generator<ToWorker> {
    for (const arena of this.#free) yield { type: 'release', arena };
    for (const identity of this.#identities.values()) yield { type: 'identity', identity };
    for (const request of this.#opened.values()) yield { type: 'reopen', request };
    if (this.#stripe) yield { type: 'adopt', stripe: this.#stripe };
  }

  #append(
    { partition, arena, codec, storedLength }: FramePart,
    chunks: readonly ChunkEntry[],
    label: PartitionLabel | null,
  ): void {
    const rawLength = chunks.reduce((sum, { length }) => sum + length, 0);
    const frame: SealedFrame = { codec, rawLength, storedLength, chunks };
    if (this.#stripe?.identity.number === partition) {
      this.#stripe.frames.push(frame);
      return;
    }
    const identity = this.#identities.get(partition)!;
    this.#identities.delete(partition);
    this.#free.delete(arena);
    this.#stripe = { identity, arena, frames: [frame], label, closing: null };
  }
}
