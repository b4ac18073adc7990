import { copyInto } from '@holdfast/contracts';
import type { CborValue } from '../cbor.ts';
import { decodeHeader, decodePrefix, type FramePrefix } from './frame.ts';
import { PREFIX_BYTES } from './limits.ts';

/** `body` goes into this destination, nowhere (`discard`), or has to wait until `resume` is called (`wait`). */
export type BodyChoice = Uint8Array | 'discard' | 'wait';

export interface FrameHandler {
  /**
   * A header has arrived; the body of `bodyLength` bytes (maybe 0, then the answer is ignored unless `wait`) is next.
   * A destination at least that long gets the body at its start and belongs to the reader until `frame` is called.
   */
  header(header: CborValue, bodyLength: number): BodyChoice;
  /** The frame is complete. `body` is the filled part of the destination; null when there was none or it was discarded. */
  frame(header: CborValue, body: Uint8Array | null): void;
}

const NOTHING = Buffer.alloc(0);

/**
 * Cuts a byte stream into frames, however the stream is chopped up. Holds at most one header (64 KiB) and, while it
 * waits, the one piece that was pushed last; bodies go straight to where the handler wants them. A malformed frame
 * throws PEER_PROTOCOL out of `push`, after which the reader is of no further use, nor is the stream.
 */
export class FrameReader {
  readonly #handler: FrameHandler;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #prefixFilled = 0;
  #announced: FramePrefix | null = null;
  #headerBytes: Buffer = NOTHING;
  #headerFilled = 0;
  #header: CborValue = null;
  #body: BodyChoice | null = null;
  #bodyFilled = 0;
  /** What was pushed but could not be consumed while waiting. */
  #rest: Buffer = NOTHING;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** No more may be pushed before `resume`: the source should be paused. */
  get waiting(): boolean {
    return this.#body === 'wait';
  }

  /** Whether a frame has begun and not ended: a peer that stops now has broken it. */
  get midFrame(): boolean {
    return this.#prefixFilled > 0;
  }

  /** `piece` is borrowed until `push` returns, or when it returns false until `resume` returned true. */
  push(piece: Buffer): boolean {
    let at = 0;
    while (at < piece.length) {
      if (this.#body === 'wait') {
        this.#rest = piece.subarray(at);
        return false;
      }
      at += this.#take(piece, at);
    }
    return !this.waiting;
  }

  /** Ends a wait. True when all that was pushed is consumed; false when the next frame has to wait in its turn. */
  resume(choice: Uint8Array | 'discard'): boolean {
    const rest = this.#rest;
    this.#rest = NOTHING;
    this.#body = choice;
    this.#finishIfComplete();
    return this.push(rest);
  }

  /** The rest of the body now arriving is dropped, and its destination not touched again. */
  discardBody(): void {
    if (this.#body !== null) this.#body = 'discard';
  }

  /** Consumes what belongs to the present stage and says how much that was. */
  #take(piece: Buffer, at: number): number {
    if (this.#announced === null) return this.#takePrefix(piece, at);
    if (this.#body === null) return this.#takeHeader(piece, at, this.#announced);
    return this.#takeBody(piece, at, this.#announced.bodyLength);
  }

  #takePrefix(piece: Buffer, at: number): number {
    const taken = piece.copy(this.#prefix, this.#prefixFilled, at, at + PREFIX_BYTES - this.#prefixFilled);
    this.#prefixFilled += taken;
    if (this.#prefixFilled === PREFIX_BYTES) this.#announced = decodePrefix(this.#prefix);
    return taken;
  }

  #takeHeader(piece: Buffer, at: number, { headerLength }: FramePrefix): number {
    if (this.#headerFilled === 0 && piece.length - at >= headerLength) {
      this.#begin(piece.subarray(at, at + headerLength));
      return headerLength;
    }
    if (this.#headerFilled === 0) this.#headerBytes = Buffer.allocUnsafe(headerLength);
    const taken = piece.copy(this.#headerBytes, this.#headerFilled, at);
    this.#headerFilled += taken;
    if (this.#headerFilled === headerLength) this.#begin(this.#headerBytes);
    return taken;
  }

  #begin(headerBytes: Uint8Array): void {
    this.#header = decodeHeader(headerBytes);
    this.#headerBytes = NOTHING;
    this.#bodyFilled = 0;
    this.#body = this.#handler.header(this.#header, this.#announced!.bodyLength);
    this.#finishIfComplete();
  }

  #takeBody(piece: Buffer, at: number, bodyLength: number): number {
    const taken = Math.min(piece.length - at, bodyLength - this.#bodyFilled);
    // Shards come straight into an arena, which is shared.
    if (this.#body instanceof Uint8Array)
      copyInto(this.#body, this.#bodyFilled, piece.subarray(at, at + taken));
    this.#bodyFilled += taken;
    this.#finishIfComplete();
    return taken;
  }

  #finishIfComplete(): void {
    const { bodyLength } = this.#announced!;
    if (this.#body === 'wait' || this.#bodyFilled < bodyLength) return;
    const header = this.#header;
    const filled =
      this.#body instanceof Uint8Array && bodyLength > 0 ? this.#body.subarray(0, bodyLength) : null;
    this.#prefixFilled = 0;
    this.#announced = null;
    this.#headerFilled = 0;
    this.#header = null;
    this.#body = null;
    this.#handler.frame(header, filled);
  }
}
