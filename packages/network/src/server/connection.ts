import type { TLSSocket } from 'node:tls';
import { type BufferGarbage, HoldfastError, type ShardStore } from '@holdfast/contracts';
import type { CborValue } from '@holdfast/formats';
import {
  type BodyChoice,
  CONNECTION,
  decodeHello,
  decodeRequest,
  encodeError,
  encodeFrameHead,
  encodeHello,
  encodeOk,
  FrameReader,
  type NumberedRequest,
  type RequestType,
} from '@holdfast/formats/wire';
import type { Member } from '../membership/member.ts';
import { type Answer, answer, type StatusFacts } from './answer.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { ServerEvent } from './events.ts';
import type { ServerLimits } from './limits.ts';

/** What all connections of one server share. */
export interface Shared {
  readonly store: ShardStore;
  readonly facts: StatusFacts;
  readonly limits: ServerLimits;
  readonly pool: BufferPool;
  readonly garbage: BufferGarbage;
  readonly emit: (event: ServerEvent) => void;
}

const EMPTY = new Uint8Array(0);
/** Requests that receive or send a body. */
const BUFFERED: ReadonlySet<RequestType> = new Set(['put', 'get', 'get-parts', 'head-put']);
/** How long a refused side has to read why before the socket is torn down. */
const FAREWELL = 1_000;

/**
 * One authenticated owner's connection. Reads a frame only when there is room to work on it (a request slot, and a
 * buffer where shard bytes are concerned); until then the socket is paused, so that a fast sender is held back by TCP
 * and memory stays bounded.
 */
export class ServerConnection {
  readonly member: Member;
  readonly #socket: TLSSocket;
  readonly #shared: Shared;
  readonly #reader: FrameReader;
  readonly #retry = (): void => this.#admitWaiting();
  #greeted = false;
  /** The request whose frame is now arriving, and the buffer that it was given. */
  #arriving: NumberedRequest | null = null;
  #buffer: Uint8Array | null = null;
  #inFlight = 0;
  #draining = false;
  #ending = false;
  readonly #ids = new Set<number>();
  /** To be told when the connection closes instead of when the bytes have left. */
  readonly #sending = new Set<() => void>();

  // What `check` looks at; all on the monotonic clock.
  #frameSince = 0;
  #activeAt: number;
  #sentBytes = 0;
  #sentAt: number;
  #endingAt = 0;
  readonly #openedAt: number;

  constructor(socket: TLSSocket, member: Member, shared: Shared) {
    this.member = member;
    this.#socket = socket;
    this.#shared = shared;
    this.#openedAt = this.#activeAt = this.#sentAt = performance.now();
    this.#reader = new FrameReader({
      header: (header, bodyLength) => this.#header(header, bodyLength),
      frame: (_, body) => this.#frame(body),
    });
    socket.on('data', (piece: Buffer) => this.#receive(piece));
    socket.on('close', () => this.#closed());
    this.#send(encodeHello({ program: shared.facts.version, maxInFlight: shared.limits.maxInFlight }), null);
  }

  get busy(): boolean {
    return this.#inFlight > 0;
  }

  /** Tells the other side why and ends the connection; requests under way may still be answered before. */
  refuse(error: HoldfastError): void {
    if (this.#ending) return;
    this.#shared.emit({ ...this.#about(), type: 'rejected', code: error.code, message: error.message });
    this.#send(encodeError(CONNECTION, error), null);
    this.end();
  }

  /** Reads no further; closes once all that was sent has left. */
  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#endingAt = performance.now();
    this.#shared.pool.forget(this.#retry);
    // Unread bytes would make the kernel reset the connection and lose our last words: read and drop them.
    this.#socket.removeAllListeners('data').resume();
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Takes no new requests, finishes those under way, then ends. */
  drain(): void {
    this.#draining = true;
    this.#socket.pause();
    if (!this.busy) this.end();
  }

  /** Called now and then: ends what has been too slow. */
  check(now: number): void {
    const { limits } = this.#shared;
    if (this.#socket.bytesWritten !== this.#sentBytes || this.#socket.writableLength === 0) {
      this.#sentBytes = this.#socket.bytesWritten;
      this.#sentAt = now;
    }
    const over = (since: number, limit: number): boolean => now - since > limit;
    if (this.#ending) {
      if (over(this.#endingAt, FAREWELL) && !this.busy) this.destroy();
    } else if (over(this.#sentAt, limits.stallTimeout)) {
      this.#shared.emit({
        ...this.#about(),
        type: 'rejected',
        code: 'PEER_TIMEOUT',
        message: 'Took no answer',
      });
      this.destroy();
    } else if (!this.#greeted && over(this.#openedAt, limits.helloTimeout)) {
      this.refuse(new HoldfastError('PEER_PROTOCOL', 'HELLO did not come in time'));
    } else if (this.#frameSince > 0 && !this.#reader.waiting && over(this.#frameSince, limits.frameTimeout)) {
      this.refuse(new HoldfastError('PEER_PROTOCOL', 'A frame took too long to arrive'));
    } else if (!this.busy && over(this.#activeAt, limits.idleTimeout)) {
      this.end();
    } else if (Date.now() > this.member.validUntil) {
      this.refuse(new HoldfastError('PEER_UNTRUSTED', 'The certificate has expired'));
    }
  }

  #receive(piece: Buffer): void {
    this.#activeAt = performance.now();
    this.#consume(() => this.#reader.push(piece));
    // What is needed of the piece is copied by now, unless the reader has to wait with the rest of it.
    this.#shared.garbage.note(piece.length);
  }

  #consume(step: () => boolean): void {
    try {
      const consumed = step();
      if (this.#ending) return;
      this.#frameSince = this.#reader.midFrame ? this.#frameSince || performance.now() : 0;
      if (!consumed) this.#socket.pause();
      else if (this.#socket.isPaused()) this.#socket.resume();
    } catch (error) {
      this.#returnBuffer();
      this.refuse(HoldfastError.from(error, 'PEER_PROTOCOL', 'A frame could not be read'));
    }
  }

  #header(header: CborValue, bodyLength: number): BodyChoice {
    this.#frameSince = performance.now();
    if (!this.#greeted) {
      decodeHello(header);
      if (bodyLength > 0) throw new HoldfastError('PEER_PROTOCOL', 'HELLO with a body');
      return 'discard';
    }
    const numbered = decodeRequest(header, bodyLength);
    if (numbered.requestId === CONNECTION || this.#ids.has(numbered.requestId)) {
      throw new HoldfastError('PEER_PROTOCOL', `Request id ${numbered.requestId} is in use`);
    }
    this.#arriving = numbered;
    return this.#admit() ?? 'wait';
  }

  /** Where the arriving request's body goes, once there is room for the request; null while there is not. */
  #admit(): Uint8Array | 'discard' | null {
    const { limits, pool } = this.#shared;
    if (this.#inFlight >= limits.maxInFlight) return null;
    const { type } = this.#arriving!.request;
    if (!BUFFERED.has(type)) return 'discard';
    this.#buffer = pool.take();
    if (this.#buffer === null) pool.whenFree(this.#retry);
    return this.#buffer;
  }

  #admitWaiting(): void {
    if (!this.#reader.waiting || this.#draining || this.#ending) return;
    const choice = this.#admit();
    if (choice === null) return;
    this.#shared.pool.forget(this.#retry);
    this.#frameSince = performance.now();
    this.#consume(() => this.#reader.resume(choice));
  }

  #frame(body: Uint8Array | null): void {
    if (!this.#greeted) {
      this.#greeted = true;
      return;
    }
    const numbered = this.#arriving!;
    const buffer = this.#buffer;
    this.#arriving = null;
    this.#buffer = null;
    this.#inFlight += 1;
    this.#ids.add(numbered.requestId);
    void this.#work(numbered, body ?? EMPTY, buffer);
  }

  async #work(
    { requestId, request }: NumberedRequest,
    body: Uint8Array,
    buffer: Uint8Array | null,
  ): Promise<void> {
    const { store, facts, emit } = this.#shared;
    const started = performance.now();
    const done: { outcome: 'ok' | HoldfastError['code']; bytes: number } = {
      outcome: 'ok',
      bytes: body.length,
    };
    try {
      const reply = await answer(store, facts, { owner: this.member.id, request, body, space: buffer });
      done.bytes += reply.body?.length ?? 0;
      await this.#reply(requestId, reply);
    } catch (error) {
      done.outcome = HoldfastError.is(error) ? error.code : 'PEER_FAILED';
      if (done.outcome === 'PEER_FAILED') emit({ type: 'failed', request: request.type, error });
      await this.#send(encodeError(requestId, error), null);
    } finally {
      this.#inFlight -= 1;
      this.#ids.delete(requestId);
      if (buffer !== null) this.#shared.pool.give(buffer);
      const milliseconds = performance.now() - started;
      emit({ type: 'served', owner: this.member.id, request: request.type, ...done, milliseconds });
      this.#activeAt = performance.now();
      if (this.#draining && !this.busy) this.end();
      else this.#admitWaiting();
    }
  }

  #reply(requestId: number, reply: Answer): Promise<void> {
    return this.#send(encodeOk(requestId, reply.result), reply.body);
  }

  /** Resolves when the bytes have left, or cannot any more: the body may then be used for something else. */
  #send(header: CborValue, body: Uint8Array | null): Promise<void> {
    const socket = this.#socket;
    if (!socket.writable) return Promise.resolve();
    return new Promise((resolve) => {
      const sent = (): void => {
        this.#sending.delete(sent);
        resolve();
      };
      this.#sending.add(sent);
      const head = encodeFrameHead(header, body?.length ?? 0);
      if (body === null || body.length === 0) {
        socket.write(head, sent);
        return;
      }
      // Two writes rather than one of a joined copy; TLS makes its own records of them anyway.
      socket.write(head);
      socket.write(body, sent);
    });
  }

  #returnBuffer(): void {
    if (this.#buffer !== null) this.#shared.pool.give(this.#buffer);
    this.#buffer = null;
  }

  #closed(): void {
    this.#ending = true;
    this.#shared.pool.forget(this.#retry);
    this.#returnBuffer();
    for (const sent of this.#sending) sent();
    this.#shared.emit({ ...this.#about(), type: 'disconnected' });
  }

  #about() {
    return { peer: this.member.id, address: this.#socket.remoteAddress ?? 'unknown' };
  }
}
