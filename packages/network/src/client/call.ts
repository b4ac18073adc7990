import { cancelled, HoldfastError, type PeerId, type TransportOptions } from '@holdfast/contracts';
import type { CborValue } from '@holdfast/formats';
import type { Request } from '@holdfast/formats/wire';

export interface CallRequest {
  readonly request: Request;
  /** Sent after the header; borrowed until the call settles. */
  readonly body: Uint8Array | null;
  /** Where an answer's body of that length goes; null refuses it. Asked at most once. */
  readonly destination: (bodyLength: number) => Uint8Array | null;
}

export interface CallResult {
  readonly result: CborValue;
  readonly body: Uint8Array | null;
}

/** One request on its way: queued, then sent, then settled once, by its answer or for want of one. */
export class Call {
  readonly request: CallRequest;
  readonly timeout: number;
  readonly promise: Promise<CallResult>;
  /** Monotonic; when it was put on the wire. */
  sentAt = 0;
  settled = false;
  #resolve!: (result: CallResult) => void;
  #reject!: (error: HoldfastError) => void;
  readonly #signal: AbortSignal | undefined;
  #onAbort: (() => void) | undefined;

  constructor(request: CallRequest, options: TransportOptions | undefined, defaultTimeout: number) {
    this.request = request;
    this.timeout = options?.timeout ?? defaultTimeout;
    this.#signal = options?.signal;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Who now has the call says what to do when the caller's signal fires; replaces what was said before. */
  whenAborted(abandon: (reason: HoldfastError) => void): void {
    const signal = this.#signal;
    if (signal === undefined || this.settled) return;
    this.#forgetSignal();
    if (signal.aborted) {
      abandon(cancelled(signal));
      return;
    }
    this.#onAbort = () => abandon(cancelled(signal));
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  resolve(result: CallResult): void {
    if (this.#settle()) this.#resolve(result);
  }

  reject(error: HoldfastError): void {
    if (this.#settle()) this.#reject(error);
  }

  #settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.#forgetSignal();
    return true;
  }

  #forgetSignal(): void {
    if (this.#onAbort) this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}

export const unreachable = (peer: PeerId, why: string, cause?: unknown): HoldfastError =>
  new HoldfastError('PEER_UNREACHABLE', `Peer ${peer} cannot be reached: ${why}`, {
    cause,
    details: { peer },
  });

export const timedOut = (peer: PeerId): HoldfastError =>
  new HoldfastError('PEER_TIMEOUT', `Peer ${peer} did not answer in time.`, { details: { peer } });

export const protocolError = (peer: PeerId, why: string, cause?: unknown): HoldfastError =>
  new HoldfastError('PEER_PROTOCOL', `Peer ${peer} broke the protocol: ${why}`, { cause, details: { peer } });
