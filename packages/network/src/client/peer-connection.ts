import type { TLSSocket } from 'node:tls';
import { HoldfastError, type PeerId } from '@holdfast/contracts';
import type { CborValue } from '@holdfast/formats';
import {
  type BodyChoice,
  CONNECTION,
  decodeResponse,
  encodeFrameHead,
  encodeRequest,
  FrameReader,
  MAX_REQUEST_ID,
  type Response,
} from '@holdfast/formats/wire';
import { type Call, protocolError, timedOut, unreachable } from './call.ts';
import { connectionError, type Greeted } from './connect.ts';

/** How often deadlines are looked at while calls are under way. */
const SWEEP = 50;
/** How long a call that is given up while its body is being sent may hold on to that body. */
const GRACE = 250;

/**
 * Calls on one connection. At most `maxInFlight` are sent and not yet answered; the next body is given to the socket
 * only when the one before has left, so that at any time just one borrowed body is referenced by the socket.
 */
export class PeerConnection {
  readonly #socket: TLSSocket;
  readonly #peer: PeerId;
  readonly #maxInFlight: number;
  /** Without any progress for this long the connection itself is given up. */
  readonly #stallTimeout: number;
  readonly #reader: FrameReader;
  readonly #queue: Call[] = [];
  /** Sent and unanswered, those given up included: their answers still come. */
  readonly #pending = new Map<number, Call>();
  #sending: Call | null = null;
  #afterSending: (() => void) | null = null;
  #receiving: Call | null = null;
  #response: Response | null = null;
  #nextId = 1;
  #error: HoldfastError | null = null;
  #progressAt = 0;
  #written = 0;
  #sweep: NodeJS.Timeout | undefined;

  constructor({ socket, receive }: Greeted, peer: PeerId, limits: { maxInFlight: number; timeout: number }) {
    this.#socket = socket;
    this.#peer = peer;
    this.#maxInFlight = limits.maxInFlight;
    this.#stallTimeout = limits.timeout;
    this.#reader = new FrameReader({
      header: (header, bodyLength) => this.#header(header, bodyLength),
      frame: (_, body) => this.#frame(body),
    });
    socket.on('error', (error) => this.fail(connectionError(peer, error)));
    socket.on('close', () => this.fail(unreachable(peer, 'the connection was lost')));
    receive((piece) => this.#receive(piece));
  }

  get open(): boolean {
    return this.#error === null;
  }

  submit(call: Call): void {
    if (call.settled) return;
    if (this.#error !== null) {
      call.reject(this.#error);
      return;
    }
    call.whenAborted((reason) => this.#abandon(call, reason));
    this.#queue.push(call);
    this.#pump();
  }

  /** Ends the connection and all its calls. */
  fail(error: HoldfastError): void {
    if (this.#error !== null) return;
    this.#error = error;
    clearInterval(this.#sweep);
    this.#socket.destroy();
    this.#reader.discardBody();
    const calls = [...this.#pending.values(), ...this.#queue];
    this.#pending.clear();
    this.#queue.length = 0;
    for (const call of calls) call.reject(error);
  }

  #pump(): void {
    while (this.#sending === null && this.#pending.size < this.#maxInFlight && this.#error === null) {
      const call = this.#queue.shift();
      if (call === undefined) return;
      if (!call.settled) this.#send(call);
    }
  }

  #send(call: Call): void {
    const { request, body } = call.request;
    const now = performance.now();
    // Silence counts from the first call on: an idle connection is not a stalled one.
    if (this.#pending.size === 0) this.#progressAt = now;
    const requestId = this.#freshId();
    call.sentAt = now;
    this.#pending.set(requestId, call);
    this.#sending = call;
    this.#sweep ??= setInterval(() => this.#check(), SWEEP);
    const sent = (): void => {
      this.#sending = null;
      this.#afterSending?.();
      this.#afterSending = null;
      this.#pump();
    };
    const head = encodeFrameHead(encodeRequest({ requestId, request }), body?.length ?? 0);
    if (body === null || body.length === 0) {
      this.#socket.write(head, sent);
      return;
    }
    // Two writes: joining them would copy the body.
    this.#socket.write(head);
    this.#socket.write(body, sent);
  }

  #freshId(): number {
    while (this.#pending.has(this.#nextId)) this.#advanceId();
    const id = this.#nextId;
    this.#advanceId();
    return id;
  }

  #advanceId(): void {
    this.#nextId = this.#nextId >= MAX_REQUEST_ID ? 1 : this.#nextId + 1;
  }

  /** The caller wants no answer any more: take our hands off its buffers. */
  #abandon(call: Call, reason: HoldfastError): void {
    if (this.#receiving === call) this.#reader.discardBody();
    if (this.#sending !== call || call.request.body === null) {
      call.reject(reason);
      return;
    }
    if (this.#afterSending !== null) return;
    // Half a frame cannot be taken back: let the body leave, or end the connection when it does not.
    const timer = setTimeout(() => {
      this.#socket.destroy();
      call.reject(reason);
      this.fail(unreachable(this.#peer, 'a request was given up half-way'));
    }, GRACE);
    this.#afterSending = () => {
      clearTimeout(timer);
      call.reject(reason);
    };
  }

  #receive(piece: Buffer): void {
    if (this.#error !== null) return;
    this.#progressAt = performance.now();
    try {
      this.#reader.push(piece);
    } catch (error) {
      this.fail(HoldfastError.from(error, 'PEER_PROTOCOL', `Peer ${this.#peer} sent a malformed frame.`));
    }
  }

  #header(header: CborValue, bodyLength: number): BodyChoice {
    const response = decodeResponse(header);
    if (response.requestId === CONNECTION) throw this.#refusal(response);
    const call = this.#pending.get(response.requestId);
    if (call === undefined) throw protocolError(this.#peer, 'it answered what was not asked');
    this.#response = response;
    this.#receiving = call;
    if (bodyLength === 0 || call.settled) return 'discard';
    if (!response.ok) throw protocolError(this.#peer, 'an error came with a body');
    const destination = call.request.destination(bodyLength);
    if (destination === null) {
      call.reject(protocolError(this.#peer, `it sent ${bodyLength} bytes, more than were asked for`));
      return 'discard';
    }
    return destination;
  }

  #frame(body: Uint8Array | null): void {
    const call = this.#receiving!;
    const response = this.#response!;
    this.#receiving = null;
    this.#response = null;
    this.#pending.delete(response.requestId);
    if (response.ok) call.resolve({ result: response.result, body });
    else call.reject(this.#refusal(response));
    if (this.#pending.size === 0 && this.#queue.length === 0) {
      clearInterval(this.#sweep);
      this.#sweep = undefined;
    }
    this.#pump();
  }

  #refusal(response: Response): HoldfastError {
    if (response.ok) return protocolError(this.#peer, 'it answered what was not asked');
    return new HoldfastError(response.code, `Peer ${this.#peer}: ${response.message}`, {
      details: { peer: this.#peer },
    });
  }

  /**
   * A call is late after `timeout` without progress on the connection, since answers queue up behind one another on a
   * slow line; and in any case when it has waited as long as all calls before it could have taken. That bounds what a
   * peer can do by answering everything but one.
   */
  #check(): void {
    const now = performance.now();
    if (this.#socket.bytesWritten !== this.#written) {
      this.#written = this.#socket.bytesWritten;
      this.#progressAt = now;
    }
    for (const call of [...this.#pending.values()]) {
      const silent = now - Math.max(this.#progressAt, call.sentAt) > call.timeout;
      const starved = now - call.sentAt > call.timeout * (this.#maxInFlight + 1);
      if (!call.settled && (silent || starved)) this.#abandon(call, timedOut(this.#peer));
    }
    if (this.#pending.size > 0 && now - this.#progressAt > this.#stallTimeout)
      this.fail(timedOut(this.#peer));
  }
}
