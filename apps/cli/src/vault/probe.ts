import { HoldfastError, type PeerRecord, type PeerStatus, type ShardTransport } from '@holdfast/contracts';

export interface Probe {
  readonly peer: PeerRecord;
  /** Null when the peer did not answer. */
  readonly status: PeerStatus | null;
  /** Milliseconds for a small request on an established connection; null when the peer did not answer. */
  readonly roundTrip: number | null;
  readonly failure: HoldfastError | null;
}

/** The best of so many: what the way takes, not what happened to be in it. */
const PINGS = 3;

interface ProbeOptions {
  readonly timeout: number;
  readonly signal?: AbortSignal;
}

/**
 * Asks every active peer how it is, all at once. Round trips are measured when all have answered or failed: handshakes
 * keep a processor busy, and would be measured with them.
 */
export async function probePeers(
  transport: ShardTransport,
  peers: readonly PeerRecord[],
  options: ProbeOptions,
): Promise<Probe[]> {
  const first = await Promise.all(peers.map((peer) => ask(transport, peer, options)));
  return Promise.all(first.map((probe) => (probe.status ? time(transport, probe, options) : probe)));
}

async function ask(transport: ShardTransport, peer: PeerRecord, options: ProbeOptions): Promise<Probe> {
  const silent = { peer, status: null, roundTrip: null };
  if (peer.state === 'left') return { ...silent, failure: null };
  try {
    return { peer, status: await transport.status(peer.id, options), roundTrip: null, failure: null };
  } catch (error) {
    if (HoldfastError.is(error, 'CANCELLED') || !HoldfastError.is(error)) throw error;
    return { ...silent, failure: error };
  }
}

async function time(transport: ShardTransport, probe: Probe, options: ProbeOptions): Promise<Probe> {
  let roundTrip = Number.POSITIVE_INFINITY;
  for (let i = 0; i < PINGS; i++) {
    const began = performance.now();
    const { status, failure } = await ask(transport, probe.peer, options);
    if (!status) return { ...probe, status, failure };
    roundTrip = Math.min(roundTrip, performance.now() - began);
  }
  return { ...probe, roundTrip };
}
