import {
  cancelled,
  type ErrorCode,
  gatherParts,
  HoldfastError,
  isStridedRange,
  type OwnerId,
  type PeerId,
  type ShardId,
  type ShardStore,
  type ShardTransport,
  type StoredShard,
  type TransportOptions,
} from '@holdfast/contracts';

/** What goes wrong with one peer; all fields may be changed at any time. */
export interface PeerFaults {
  /** Every request fails with PEER_UNREACHABLE. */
  down: boolean;
  /** Whether GET of this shard delivers bytes with one bit flipped. */
  wrongBytes: (id: ShardId) => boolean;
  /** Whether the peer denies having this shard. */
  missing: (id: ShardId) => boolean;
  /** Milliseconds before each request takes effect. */
  delay: number;
  /** Requests still answered before the peer goes down by itself. */
  failAfter: number;
  /** Every request fails with this code. */
  refuse: ErrorCode | null;
}

export interface TransportCounters {
  puts: number;
  gets: number;
  /** Bytes of bodies. */
  putBytes: number;
  getBytes: number;
  /** Requests of all kinds. */
  requests: number;
  /** PUT and GET under way now, and the most there ever were. */
  inFlight: number;
  peakInFlight: number;
}

export interface MemoryTransport extends ShardTransport {
  /** The levers of one peer; they stay the same object. */
  faults(peer: PeerId): PeerFaults;
  readonly counters: TransportCounters;
}

const DEFAULT_TIMEOUT = 30_000;
const no = (): boolean => false;

/** The owner's transport straight into stores in this process, with faults on demand. */
export function memoryTransport(stores: ReadonlyMap<PeerId, ShardStore>, owner: OwnerId): MemoryTransport {
  const levers = new Map<PeerId, PeerFaults>();
  const counters: TransportCounters = {
    puts: 0,
    gets: 0,
    putBytes: 0,
    getBytes: 0,
    requests: 0,
    inFlight: 0,
    peakInFlight: 0,
  };
  const closing = new AbortController();

  const faults = (peer: PeerId): PeerFaults => {
    let found = levers.get(peer);
    if (found === undefined) {
      found = { down: false, wrongBytes: no, missing: no, delay: 0, failAfter: Infinity, refuse: null };
      levers.set(peer, found);
    }
    return found;
  };

  async function request<T>(
    peer: PeerId,
    options: TransportOptions | undefined,
    act: (store: ShardStore, faults: PeerFaults) => Promise<T>,
  ): Promise<T> {
    const signal = options?.signal ? AbortSignal.any([closing.signal, options.signal]) : closing.signal;
    if (signal.aborted) throw cancelled(signal);
    counters.requests += 1;
    const fault = faults(peer);
    const store = stores.get(peer);
    if (store === undefined || fault.down || fault.failAfter-- <= 0) throw unreachable(peer);
    if (fault.delay > 0) await delay(peer, fault.delay, options?.timeout ?? DEFAULT_TIMEOUT, signal);
    if (fault.down) throw unreachable(peer);
    if (fault.refuse !== null)
      throw new HoldfastError(fault.refuse, `Peer ${peer} refuses.`, { details: { peer } });
    return act(store, fault);
  }

  async function transfer<T>(act: () => Promise<T>): Promise<T> {
    counters.inFlight += 1;
    counters.peakInFlight = Math.max(counters.peakInFlight, counters.inFlight);
    try {
      return await act();
    } finally {
      counters.inFlight -= 1;
    }
  }

  function deliver(peer: PeerId, bytes: Uint8Array, into: Uint8Array): void {
    if (bytes.length > into.length) {
      throw new HoldfastError(
        'PEER_PROTOCOL',
        `Peer ${peer} sent ${bytes.length} bytes, ${into.length} fit.`,
      );
    }
    into.set(bytes);
    counters.gets += 1;
    counters.getBytes += bytes.length;
  }

  return {
    counters,
    faults,
    put: (peer, shard, options) =>
      transfer(async () => {
        const outcome = await request(peer, options, (store) => store.put(owner, shard));
        counters.puts += 1;
        counters.putBytes += shard.bytes.length;
        return outcome;
      }),
    get: (peer, id, into, options) =>
      transfer(async () => {
        const range = { offset: options?.offset, length: options?.length };
        const bytes = await request(peer, options, async (store, fault) => {
          if (fault.missing(id))
            throw new HoldfastError('PEER_NO_SHARD', `Peer ${peer} does not have shard ${id}.`);
          const read = await store.get(owner, id, range);
          if (fault.wrongBytes(id) && read.length > 0) read[0] = read[0]! ^ 1;
          return read;
        });
        deliver(peer, bytes, into);
        return bytes.length;
      }),
    getParts: (peer, id, range, into, options) =>
      transfer(async () => {
        const bytes = await request(peer, options, async (store, fault) => {
          if (fault.missing(id))
            throw new HoldfastError('PEER_NO_SHARD', `Peer ${peer} does not have shard ${id}.`);
          const shard = await store.get(owner, id);
          if (!isStridedRange(range, shard.length))
            throw new HoldfastError('FORMAT_INVALID', `No such parts of shard ${id}.`);
          const parts = shard.subarray(0, gatherParts(shard, range));
          if (fault.wrongBytes(id)) parts[0] = parts[0]! ^ 1;
          return parts;
        });
        deliver(peer, bytes, into);
        return bytes.length;
      }),
    have: (peer, ids, options) =>
      request(peer, options, async (store, fault) =>
        (await store.has(owner, ids)).map((shard) =>
          shard === null || fault.missing(shard.id) ? null : held(shard),
        ),
      ),
    delete: (peer, id, options) => request(peer, options, (store) => store.delete(owner, id)),
    lease: (peer, ids, until, options) => request(peer, options, (store) => store.lease(owner, ids, until)),
    list: (peer, page, options) =>
      request(peer, options, async (store, fault) =>
        (await store.list(owner, page))
          .filter((shard) => !fault.missing(shard.id))
          .map((shard) => ({ id: shard.id, ...held(shard) })),
      ),
    status: (peer, options) =>
      request(peer, options, async (store) => ({
        id: peer,
        version: '0.0.0-memory',
        ...(await store.usage(owner)),
        startedAt: 0,
      })),
    putHead: (peer, head, options) => request(peer, options, (store) => store.putHead(owner, head)),
    getHead: (peer, options) => request(peer, options, (store) => store.getHead(owner)),
    close: async () => closing.abort(),
  };
}

const unreachable = (peer: PeerId): HoldfastError =>
  new HoldfastError('PEER_UNREACHABLE', `Peer ${peer} cannot be reached.`, { details: { peer } });

const held = ({ hash, bytes, leaseUntil }: StoredShard) => ({ hash, bytes, leaseUntil });

async function delay(
  peer: PeerId,
  milliseconds: number,
  timeout: number,
  signal: AbortSignal,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(cancelled(signal));
    };
    const timer = setTimeout(
      () => {
        signal.removeEventListener('abort', stop);
        if (milliseconds <= timeout) resolve();
        else reject(new HoldfastError('PEER_TIMEOUT', `Peer ${peer} did not answer.`, { details: { peer } }));
      },
      Math.min(milliseconds, timeout),
    );
    signal.addEventListener('abort', stop, { once: true });
  });
}
