import type { Socket } from 'node:net';
import { HoldfastError } from '@holdfast/contracts';

/** A message of the server. Nobody writes to the body again, but it may keep a larger piece of memory alive. */
export interface BackendMessage {
  /** One letter, as in the protocol's documentation. */
  readonly type: string;
  readonly body: Buffer;
}

/** Bytes at hand before the socket is told to wait. */
const HIGH_WATER = 4 * 2 ** 20;
const MAX_MESSAGE = 2 ** 30;
const HEADER = 5;

/**
 * Takes a connection's socket over from the driver, once that has authenticated, and cuts what comes into messages.
 * Nobody asking for messages holds the server back.
 */
export class MessageReader {
  readonly #socket: Socket;
  #parts: Buffer[] = [];
  #length = 0;
  #failure: Error | null = null;
  #wake: (() => void) | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.removeAllListeners('data');
    socket.on('data', (part: Buffer) => this.#take(part));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
    socket.resume();
  }

  /** Whether a whole message is at hand. */
  get ready(): boolean {
    return this.#length >= HEADER && this.#length >= this.#needed();
  }

  /** SOURCE_UNREADABLE when the connection ends. */
  async next(): Promise<BackendMessage> {
    while (!this.ready) {
      if (this.#failure) throw connectionLost(this.#failure);
      this.#socket.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const bytes = this.#cut(this.#needed());
    return { type: String.fromCharCode(bytes[0]!), body: bytes.subarray(HEADER) };
  }

  #take(part: Buffer): void {
    this.#parts.push(part);
    this.#length += part.length;
    if (this.#length > HIGH_WATER && this.#wake === null) this.#socket.pause();
    this.#rouse();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#rouse();
  }

  #rouse(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  /** Bytes of the first message, or of the header as long as that is not there. */
  #needed(): number {
    if (this.#length < HEADER) return HEADER;
    if (this.#parts[0]!.length < HEADER) this.#parts = [Buffer.concat(this.#parts)];
    const length = this.#parts[0]!.readUInt32BE(1);
    if (length < 4 || length > MAX_MESSAGE)
      throw new HoldfastError('SOURCE_UNREADABLE', 'The server does not speak PostgreSQL’s protocol');
    return length + 1;
  }

  #cut(length: number): Buffer {
    const first = this.#parts[0]!;
    this.#length -= length;
    if (first.length > length) {
      this.#parts[0] = first.subarray(length);
      return first.subarray(0, length);
    }
    if (first.length === length) return this.#parts.shift()!;
    return this.#join(length);
  }

  #join(length: number): Buffer {
    const whole = Buffer.allocUnsafe(length);
    let filled = 0;
    let used = 0;
    for (const part of this.#parts) {
      const taken = Math.min(part.length, length - filled);
      part.copy(whole, filled, 0, taken);
      filled += taken;
      if (taken < part.length) {
        this.#parts[used] = part.subarray(taken);
        break;
      }
      used += 1;
      if (filled === length) break;
    }
    this.#parts = this.#parts.slice(used);
    return whole;
  }
}

export const connectionLost = (cause: unknown): HoldfastError =>
  new HoldfastError(
    'SOURCE_UNREADABLE',
    `The connection to PostgreSQL was lost: ${cause instanceof Error ? cause.message : String(cause)}`,
    {
      hint: 'Check that the server runs and look at its log.',
      cause,
      details: { reason: 'connection-lost' },
    },
  );
