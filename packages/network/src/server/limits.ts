import { MiB } from '@holdfast/contracts';

/** How much one end gives to the others; all settings of `serveShards`. Times in milliseconds. */
export interface ServerLimits {
  /** TCP connections in all; more are closed at once. */
  readonly maxConnections: number;
  /** Per member; more are told PEER_BUSY. */
  readonly maxConnectionsPerMember: number;
  /** Requests of one connection worked on at a time; while there are more, nothing further is read from it. */
  readonly maxInFlight: number;
  /** Shard bytes in memory in all, received or to be sent. Connections wait for their turn. */
  readonly maxBufferedBytes: number;
  /** From TCP connection to finished handshake. */
  readonly handshakeTimeout: number;
  /** From handshake to HELLO. */
  readonly helloTimeout: number;
  /** For one whole frame, from its first byte. */
  readonly frameTimeout: number;
  /** Without any request. */
  readonly idleTimeout: number;
  /** While the other side takes none of what we send it. */
  readonly stallTimeout: number;
  /** For requests under way when the server is closed. */
  readonly drainTimeout: number;
}

export const SERVER_LIMITS: ServerLimits = {
  maxConnections: 512,
  maxConnectionsPerMember: 16,
  maxInFlight: 8,
  maxBufferedBytes: 64 * MiB,
  handshakeTimeout: 10_000,
  helloTimeout: 10_000,
  frameTimeout: 60_000,
  idleTimeout: 600_000,
  stallTimeout: 60_000,
  drainTimeout: 10_000,
};
