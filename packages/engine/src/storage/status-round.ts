import {
  type Clock,
  HoldfastError,
  type PeerId,
  type PeerStatus,
  type ShardTransport,
} from '@holdfast/contracts';

const STATUS_TIMEOUT = 5_000;
/** Round trips are measured when all have answered, or after so long: handshakes would be measured with them. */
const SETTLE = 1_000;
/** The best of so many: what the way takes, not what happened to be in it. */
const PINGS = 3;

export interface RoundContext {
  readonly transport: ShardTransport;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told as it happens. What it throws counts as a failure of the peer. */
  answered(peer: PeerId, status: PeerStatus): void;
  failed(peer: PeerId, error: unknown): void;
  /** Best milliseconds of a small request on an established connection. */
  timed(peer: PeerId, milliseconds: number): void;
}

export interface RoundAnswer {
  readonly peer: PeerId;
  /** Null: there was none. */
  readonly roundTripMs: number | null;
}

/** Asks all of them for their status at once, then measures round trips on the connections that there are now. CANCELLED. */
export async function statusRound(context: RoundContext, peers: readonly PeerId[]): Promise<RoundAnswer[]> {
  const first = peers.map((peer) => ask(context, peer));
  const settled = new AbortController();
  const pause = context.clock.sleep(SETTLE, { signal: settled.signal }).catch(() => {});
  const quiet = Promise.race([Promise.allSettled(first), pause]);
  const answers = peers.map(async (peer, i) => {
    const roundTripMs = await first[i]!;
    if (roundTripMs === null) return { peer, roundTripMs };
    await quiet;
    return { peer, roundTripMs: (await time(context, peer)) ?? roundTripMs };
  });
  return Promise.all(answers).finally(() => settled.abort());
}

/** Milliseconds until its answer, with whatever making the connection took; null when there was none. */
async function ask(context: RoundContext, peer: PeerId): Promise<number | null> {
  const { transport, clock, signal } = context;
  const began = clock.monotonic();
  try {
    context.answered(peer, await transport.status(peer, { signal, timeout: STATUS_TIMEOUT }));
    return clock.monotonic() - began;
  } catch (error) {
    if (HoldfastError.is(error, 'CANCELLED')) throw error;
    context.failed(peer, error);
    return null;
  }
}

/** Null when it fell silent, of which the next request to it will take note. */
async function time(context: RoundContext, peer: PeerId): Promise<number | null> {
  const { transport, clock, signal } = context;
  let best = Number.POSITIVE_INFINITY;
  try {
    for (let i = 0; i < PINGS; i++) {
      const began = clock.monotonic();
      await transport.status(peer, { signal, timeout: STATUS_TIMEOUT });
      best = Math.min(best, clock.monotonic() - began);
    }
  } catch (error) {
    if (HoldfastError.is(error, 'CANCELLED')) throw error;
  }
  if (best === Number.POSITIVE_INFINITY) return null;
  context.timed(peer, best);
  return best;
}
