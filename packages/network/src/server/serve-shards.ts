import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { BufferGarbage, HoldfastError, MiB, type PeerId, type ShardStore } from '@holdfast/contracts';
import { CONNECTION, encodeError, encodeFrameHead } from '@holdfast/formats/wire';
import { parseCertificate } from '../membership/authority.ts';
import type { Member } from '../membership/member.ts';
import { authenticate } from '../tls/authenticate.ts';
import { ALPN, type Credentials, contextOptions } from '../tls/credentials.ts';
import type { StatusFacts } from './answer.ts';
import { BufferPool } from './buffer-pool.ts';
import { ServerConnection, type Shared } from './connection.ts';
import type { ServerEvent } from './events.ts';
import { SERVER_LIMITS, type ServerLimits } from './limits.ts';

export interface ServeOptions {
  readonly store: ShardStore;
  readonly credentials: Credentials;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly facts: StatusFacts;
  readonly limits?: Partial<ServerLimits>;
  /** Must not throw. */
  readonly onEvent?: (event: ServerEvent) => void;
}

export interface ShardServer {
  readonly host: string;
  readonly port: number;
  /**
   * Accepts and reads no more, lets requests under way finish (for `drainTimeout` at most), closes all connections.
   * The store stays open: it belongs to the caller.
   */
  close(): Promise<void>;
}

const SWEEP = 500;

/**
 * Serves a store to the swarm's owners. Resolves when listening. CONFIG_INVALID when the address cannot be had;
 * KEY_WRONG when the certificate is not the identity's.
 */
export async function serveShards(options: ServeOptions): Promise<ShardServer> {
  const { credentials, store, facts } = options;
  const limits = { ...SERVER_LIMITS, ...options.limits };
  const emit = options.onEvent ?? (() => {});
  const authority = parseCertificate(credentials.authority);
  const pool = new BufferPool(MiB, Math.max(1, Math.floor(limits.maxBufferedBytes / MiB)));
  const shared: Shared = { store, facts, limits, pool, garbage: new BufferGarbage(), emit };
  const connections = new Set<ServerConnection>();
  const sockets = new Set<Socket>();

  const reject = (address: string, peer: PeerId | null, error: HoldfastError): void =>
    emit({ type: 'rejected', peer, address, code: error.code, message: error.message });

  const accept = (socket: TLSSocket): void => {
    const address = socket.remoteAddress ?? 'unknown';
    // Resets and broken records end in `close`, where they are dealt with.
    socket.on('error', () => {});
    socket.setNoDelay(true);
    let member: Member;
    try {
      member = authenticate(socket, authority, { role: 'owner' });
    } catch (error) {
      const refusal = HoldfastError.from(error, 'PEER_UNTRUSTED', 'The certificate could not be checked');
      reject(address, null, refusal);
      dismiss(socket, refusal);
      return;
    }
    const mine = [...connections].filter((other) => other.member.id === member.id);
    if (mine.length >= limits.maxConnectionsPerMember) {
      const refusal = new HoldfastError('PEER_BUSY', 'Too many connections of one owner');
      reject(address, member.id, refusal);
      dismiss(socket, refusal);
      return;
    }
    const connection = new ServerConnection(socket, member, shared);
    emit({ type: 'connected', peer: member.id, address });
    connections.add(connection);
    socket.on('close', () => connections.delete(connection));
  };

  const server = createServer(
    {
      ...contextOptions(credentials),
      ALPNProtocols: ALPN,
      requestCert: true,
      // Node would only hang up, without a word; `authenticate` refuses in every case that Node would, and says why.
      rejectUnauthorized: false,
      handshakeTimeout: limits.handshakeTimeout,
    },
    accept,
  );
  server.maxConnections = limits.maxConnections;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    reject(socket.remoteAddress ?? 'unknown', null, new HoldfastError('PEER_UNTRUSTED', error.message));
    // Node reports a handshake that takes too long but leaves the connection open.
    if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') socket.destroy();
  });

  const address = await listen(server, options.host, options.port);
  const sweep = setInterval(() => {
    const now = performance.now();
    for (const connection of connections) connection.check(now);
  }, SWEEP);
  sweep.unref();

  const close = async (): Promise<void> => {
    const closed = server.listening ? once(server, 'close') : Promise.resolve();
    server.close();
    const deadline = performance.now() + limits.drainTimeout;
    for (const connection of connections) connection.drain();
    while (connections.size > 0 && performance.now() < deadline)
      await new Promise((next) => setTimeout(next, 10));
    clearInterval(sweep);
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  let closing: Promise<void> | undefined;
  return {
    host: address.address,
    port: address.port,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new HoldfastError('CONFIG_INVALID', `Cannot listen on ${host}:${port}.`, {
      hint: 'Choose another port or address.',
      cause: error,
    });
  }
  return server.address() as AddressInfo;
}

/** Tells a side whose certificate is not enough why, and hangs up. Nothing that it sent is looked at. */
function dismiss(socket: TLSSocket, refusal: HoldfastError): void {
  socket.resume();
  socket.end(encodeFrameHead(encodeError(CONNECTION, refusal), 0));
  setTimeout(() => socket.destroy(), 1_000).unref();
}
