import type { X509Certificate } from 'node:crypto';
import type { OnReadOpts } from 'node:net';
import { type ConnectionOptions, type SecureContext, type TLSSocket, connect as tlsConnect } from 'node:tls';
import { HoldfastError, KiB, type PeerId } from '@holdfast/contracts';
import type { CborValue } from '@holdfast/formats';
import {
  decodeHeader,
  decodeHello,
  decodePrefix,
  decodeResponse,
  encodeFrameHead,
  encodeHello,
  type Hello,
  PREFIX_BYTES,
} from '@holdfast/formats/wire';
import { authenticate } from '../tls/authenticate.ts';
import { ALPN } from '../tls/credentials.ts';
import { protocolError, timedOut, unreachable } from './call.ts';

export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

export interface ConnectRequest {
  readonly peer: PeerId;
  readonly address: PeerAddress;
  readonly context: SecureContext;
  readonly authority: X509Certificate;
  readonly hello: Hello;
  readonly timeout: number;
  readonly signal: AbortSignal;
}

export interface Greeted {
  readonly socket: TLSSocket;
  readonly hello: Hello;
  /** Gives all that arrives from now on, and what arrived behind HELLO, to `handler`; pieces are borrowed. */
  readonly receive: (handler: (piece: Buffer) => void) => void;
}

/** A TLS record at most, as Node hands them out. */
const RECEIVE_BYTES = 16 * KiB;

/**
 * An authenticated connection on which both HELLOs have passed. In TLS 1.3 the handshake
 * ends for the client before the peer has judged its certificate, so the peer's HELLO is what proves admission.
 * Fails with PEER_UNREACHABLE, PEER_TIMEOUT, PEER_UNTRUSTED (either side), FORMAT_VERSION, PEER_PROTOCOL, PEER_BUSY.
 */
export function connect(request: ConnectRequest): Promise<Greeted> {
  const { peer, address, signal } = request;
  let receive: (piece: Buffer) => void = () => {};
  const options: ConnectionOptions & { onread: OnReadOpts } = {
    secureContext: request.context,
    ALPNProtocols: ALPN,
    host: address.host,
    port: address.port,
    rejectUnauthorized: true,
    // Peers are known by key, not by host name; `authenticate` checks the key.
    checkServerIdentity: () => undefined,
    // One buffer for everything received: a fresh one per record would keep the garbage collector busy.
    onread: {
      buffer: Buffer.allocUnsafeSlow(RECEIVE_BYTES),
      callback: (length, buffer) => {
        receive(Buffer.from(buffer.buffer, buffer.byteOffset, length));
        return true;
      },
    },
  };
  const socket = tlsConnect(options);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 30_000);
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('close', onClose);
    };
    const fail = (error: HoldfastError): void => {
      finish();
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(new HoldfastError('CANCELLED', 'The transport was closed.'));
    const onClose = (): void => fail(unreachable(peer, 'it closed the connection'));
    let received: Buffer = Buffer.alloc(0);
    receive = (piece) => {
      received = Buffer.concat([received, piece]);
      try {
        const greeting = takeHello(peer, received);
        if (greeting === null) return;
        finish();
        const early: Buffer[] = [greeting.rest];
        receive = (next) => early.push(Buffer.from(next));
        resolve({
          socket,
          hello: greeting.hello,
          receive: (handler) => {
            receive = handler;
            for (const each of early) handler(each);
          },
        });
      } catch (error) {
        fail(HoldfastError.from(error, 'PEER_PROTOCOL', `Peer ${peer} sent no HELLO.`));
      }
    };
    const timer = setTimeout(() => fail(timedOut(peer)), request.timeout);
    // Stays: late errors of a socket that was given up must not crash the process.
    socket.on('error', (error: NodeJS.ErrnoException) => fail(connectionError(peer, error)));
    socket.on('close', onClose);
    socket.on('secureConnect', () => {
      try {
        authenticate(socket, request.authority, { role: 'peer', id: peer });
        socket.write(encodeFrameHead(encodeHello(request.hello), 0));
      } catch (error) {
        fail(
          HoldfastError.from(error, 'PEER_UNTRUSTED', `The certificate of peer ${peer} cannot be checked.`),
        );
      }
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  });
}

/** Null while the frame is not all there; it cannot have more than PREFIX_BYTES + MAX_HEADER_BYTES. */
function takeHello(peer: PeerId, received: Buffer): { hello: Hello; rest: Buffer } | null {
  if (received.length < PREFIX_BYTES) return null;
  const { headerLength, bodyLength } = decodePrefix(received);
  const end = PREFIX_BYTES + headerLength;
  if (bodyLength > 0) throw protocolError(peer, 'its first frame has a body');
  if (received.length < end) return null;
  return {
    hello: readHello(peer, decodeHeader(received.subarray(PREFIX_BYTES, end))),
    rest: received.subarray(end),
  };
}

/** Where HELLO is expected a peer may also say why it refuses us. */
function readHello(peer: PeerId, header: CborValue): Hello {
  if (Array.isArray(header) && header[0] === 0) return decodeHello(header);
  const response = decodeResponse(header);
  if (response.ok) throw protocolError(peer, 'it answered before HELLO');
  throw new HoldfastError(response.code, `Peer ${peer} refused the connection: ${response.message}`, {
    details: { peer },
  });
}

/** Alerts by which the other side says that it does not accept our certificate. */
const REFUSED =
  /ALERT.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR)|ALERT_(BAD|UNSUPPORTED)_CERTIFICATE/;

export function connectionError(peer: PeerId, error: NodeJS.ErrnoException): HoldfastError {
  const code = error.code ?? '';
  if (/^E[A-Z]+$/.test(code)) return unreachable(peer, code, error);
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS')) {
    return REFUSED.test(code)
      ? new HoldfastError('PEER_UNTRUSTED', `Peer ${peer} does not accept our certificate.`, { cause: error })
      : protocolError(peer, 'it does not speak TLS 1.3 as we do', error);
  }
  if (error.syscall !== undefined) return unreachable(peer, error.message, error);
  return new HoldfastError(
    'PEER_UNTRUSTED',
    `The certificate of peer ${peer} was not issued by this swarm: ${code}`,
    {
      cause: error,
      details: { peer },
    },
  );
}
