import type { X509Certificate } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { HoldfastError, type PeerId } from '@holdfast/contracts';
import { type Call, timedOut, unreachable } from './call.ts';
import { connect, type PeerAddress } from './connect.ts';
import type { ClientLimits } from './limits.ts';
import { PeerConnection } from './peer-connection.ts';

export interface LinkOptions {
  readonly peer: PeerId;
  readonly address: () => PeerAddress | undefined;
  readonly context: SecureContext;
  readonly authority: X509Certificate;
  readonly program: string;
  readonly limits: ClientLimits;
  readonly signal: AbortSignal;
}

/** One connection to one peer, made when first needed and again when next needed after it broke. */
export class PeerLink {
  readonly #options: LinkOptions;
  #connection: PeerConnection | null = null;
  #connecting: Promise<PeerConnection> | null = null;
  #failures = 0;
  #retryAt = 0;
  #lastError: HoldfastError | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  async submit(call: Call): Promise<void> {
    if (this.#connection?.open) {
      this.#connection.submit(call);
      return;
    }
    call.whenAborted((reason) => call.reject(reason));
    const timer = setTimeout(() => call.reject(timedOut(this.#options.peer)), call.timeout);
    try {
      const connection = await this.#connect();
      clearTimeout(timer);
      connection.submit(call);
    } catch (error) {
      clearTimeout(timer);
      call.reject(
        HoldfastError.from(error, 'PEER_UNREACHABLE', `Peer ${this.#options.peer} cannot be reached.`),
      );
    }
  }

  close(error: HoldfastError): void {
    this.#connection?.fail(error);
  }

  /** All callers share one attempt. Soon after a failed one, they share its outcome instead of trying again. */
  #connect(): Promise<PeerConnection> {
    if (this.#connecting !== null) return this.#connecting;
    if (this.#lastError !== null && performance.now() < this.#retryAt) return Promise.reject(this.#lastError);
    this.#connecting = this.#attempt().finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }

  async #attempt(): Promise<PeerConnection> {
    const { peer, limits, context, authority, signal, program } = this.#options;
    try {
      const address = this.#options.address();
      if (address === undefined) throw unreachable(peer, 'its address is not known');
      const greeted = await connect({
        peer,
        address,
        context,
        authority,
        signal,
        hello: { program, maxInFlight: limits.maxInFlight },
        timeout: limits.connectTimeout,
      });
      const maxInFlight = Math.min(limits.maxInFlight, greeted.hello.maxInFlight);
      this.#connection = new PeerConnection(greeted, peer, { maxInFlight, timeout: limits.timeout });
      this.#failures = 0;
      this.#lastError = null;
      return this.#connection;
    } catch (error) {
      this.#lastError = HoldfastError.from(error, 'PEER_UNREACHABLE', `Peer ${peer} cannot be reached.`);
      const wait = Math.min(limits.backoffMax, limits.backoffMin * 2 ** this.#failures);
      this.#failures = Math.min(this.#failures + 1, 30);
      // Jitter, so that many owners do not return to a restarted peer at the same moment.
      this.#retryAt = performance.now() + wait * (0.5 + Math.random() / 2);
      throw this.#lastError;
    }
  }
}
