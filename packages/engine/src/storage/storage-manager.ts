import {
  type Catalog,
  type Clock,
  type ErrorCode,
  HoldfastError,
  type PeerEvent,
  type PeerId,
  type PeerRecord,
  type ShardTransport,
} from '@holdfast/contracts';
import type { Candidate } from '@holdfast/placement';
import type { EngineEvent, PeerFault } from '../api.ts';
import { PeerGauge } from './peer-gauge.ts';

const STATUS_TIMEOUT = 5_000;
/** After a failed transfer a peer gets no new shards for this long. */
const REST_AFTER_FAILURE = 30_000;
const REVISIT_INTERVAL = 30_000;
/** Behind every peer that answers. */
const ABSENT = 1e9;

interface Location {
  readonly record: PeerRecord;
  readonly gauge: PeerGauge;
  /** Null: not reachable when last asked. */
  space: { free: number; capacity: number } | null;
  restingUntil: number;
  wrongBytes: number;
  missing: number;
  unreachable: number;
  readonly events: Map<PeerEvent, number>;
}

export interface StorageOptions {
  readonly catalog: Catalog;
  readonly transport: ShardTransport;
  readonly clock: Clock;
  readonly onEvent?: (event: EngineEvent) => void;
}

/** The storage locations of one run: who is there, with how much room, how fast, and what went wrong with whom. */
export class StorageManager {
  readonly #options: StorageOptions;
  readonly #locations = new Map<PeerId, Location>();
  /** Everyone the catalog knows, also who has left: past holders count for separation. */
  readonly #records = new Map<PeerId, PeerRecord>();
  #askedAt = 0;

  constructor(options: StorageOptions) {
    this.#options = options;
  }

  /**
   * Asks every active peer for its status, all at once.
   *
   * @param patience milliseconds after which those that have not answered are taken for unreachable, until they do.
   */
  async refresh(signal: AbortSignal, patience = STATUS_TIMEOUT): Promise<void> {
    for (const record of await this.#options.catalog.peers()) {
      this.#records.set(record.id, record);
      if (record.state === 'active' && !this.#locations.has(record.id))
        this.#locations.set(record.id, newLocation(record));
    }
    this.#askedAt = this.#options.clock.monotonic();
    const answers = Promise.all([...this.#locations.values()].map((location) => this.#ask(location, signal)));
    const waited = new AbortController();
    const pause = this.#options.clock.sleep(patience, { signal: waited.signal }).catch(() => {});
    await Promise.race([answers, pause]);
    waited.abort();
    answers.catch(() => {});
  }

  /** Asks those that were not there again, in the background and now and then: a long run outlives many an outage. */
  revisit(signal: AbortSignal): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#askedAt < REVISIT_INTERVAL) return;
    this.#askedAt = now;
    for (const location of this.#locations.values()) {
      if (location.space === null && location.record.state === 'active') {
        this.#ask(location, signal).catch(() => {});
      }
    }
  }

  /** Peers that may get new shards now; with `resting` also those that just failed. */
  candidates(options: { resting?: boolean } = {}): Candidate[] {
    const now = this.#options.clock.monotonic();
    const candidates: Candidate[] = [];
    for (const { record, space, restingUntil } of this.#locations.values()) {
      if (space === null || (restingUntil > now && !options.resting)) continue;
      const { id, operator, region } = record;
      candidates.push({ id, operator, region, freeBytes: space.free, capacityBytes: space.capacity });
    }
    return candidates;
  }

  reachable(): PeerRecord[] {
    return [...this.#locations.values()].filter(({ space }) => space !== null).map(({ record }) => record);
  }

  /** All that belong to the swarm now. */
  active(): PeerRecord[] {
    return [...this.#records.values()].filter(({ state }) => state === 'active');
  }

  /** Belongs to the swarm now. */
  isActive(peer: PeerId): boolean {
    return this.#records.get(peer)?.state === 'active';
  }

  /** Answered when last asked, and has not failed since. */
  isUp(peer: PeerId): boolean {
    const location = this.#locations.get(peer);
    return !!location?.space && location.restingUntil <= this.#options.clock.monotonic();
  }

  name(peer: PeerId): string {
    return this.#records.get(peer)?.name ?? peer;
  }

  /** Operator and region of everyone the catalog knows, for checking a placement. */
  facts(): Map<PeerId, { operator: string; region: string }> {
    return new Map([...this.#records].map(([id, { operator, region }]) => [id, { operator, region }]));
  }

  /**
   * Everyone the catalog knows as candidates, and among them those who cannot take a shard now: choosing one shard's
   * peer needs the operators of all who hold the others.
   */
  everyone(options: { resting: boolean }): { candidates: Candidate[]; unable: Set<PeerId> } {
    const able = new Map(this.candidates(options).map((candidate) => [candidate.id, candidate]));
    const candidates: Candidate[] = [];
    const unable = new Set<PeerId>();
    for (const { id, operator, region } of this.#records.values()) {
      const candidate = able.get(id);
      candidates.push(candidate ?? { id, operator, region, freeBytes: 0, capacityBytes: 0 });
      if (!candidate) unable.add(id);
    }
    return { candidates, unable };
  }

  /** Room is counted here as soon as it is promised to a shard, long before the peer's next status. */
  reserve(peer: PeerId, bytes: number): void {
    const space = this.#locations.get(peer)?.space;
    if (space) space.free -= bytes;
  }

  gauge(peer: PeerId): PeerGauge {
    return this.#location(peer).gauge;
  }

  /** Lower is better; unreachable and resting peers come last. */
  cost(peer: PeerId): number {
    const location = this.#locations.get(peer);
    if (!location) return 2 * ABSENT;
    return location.gauge.expected + (this.isUp(peer) ? 0 : ABSENT);
  }

  noteGood(peer: PeerId, event: 'stored' | 'served'): void {
    this.#count(this.#location(peer), event);
  }

  /** Takes note of a failed request and lets the peer rest. */
  noteFailure(peer: PeerId, error: unknown): void {
    const location = this.#location(peer);
    const code: ErrorCode = error instanceof HoldfastError ? error.code : 'PEER_FAILED';
    location.restingUntil = this.#options.clock.monotonic() + REST_AFTER_FAILURE;
    const silent = code === 'PEER_UNREACHABLE' || code === 'PEER_TIMEOUT' || code === 'PEER_UNTRUSTED';
    if (silent) location.unreachable++;
    this.#count(location, silent ? 'unreachable' : 'refused');
    this.#options.onEvent?.({
      type: 'peer-failed',
      peer,
      code,
      message: error instanceof Error ? error.message : String(error),
    });
  }

  noteWrongBytes(peer: PeerId): void {
    const location = this.#location(peer);
    location.wrongBytes++;
    this.#count(location, 'wrong-bytes');
  }

  noteMissing(peer: PeerId): void {
    const location = this.#location(peer);
    location.missing++;
    this.#count(location, 'missing');
  }

  faults(): PeerFault[] {
    return [...this.#locations.values()]
      .filter(({ wrongBytes, missing, unreachable }) => wrongBytes + missing + unreachable > 0)
      .map(({ record, wrongBytes, missing, unreachable }) => ({
        peer: record.id,
        wrongBytes,
        missing,
        unreachable,
      }));
  }

  /** Writes the run's counts into the catalog, once, at its end. */
  async recordEvents(): Promise<void> {
    for (const { record, events } of this.#locations.values()) {
      for (const [event, count] of events)
        await this.#options.catalog.countPeerEvent(record.id, event, count);
      events.clear();
    }
  }

  async #ask(location: Location, signal: AbortSignal): Promise<void> {
    try {
      const status = await this.#options.transport.status(location.record.id, {
        signal,
        timeout: STATUS_TIMEOUT,
      });
      const free = Math.min(
        status.capacityBytes - status.usedBytes,
        status.ownerQuotaBytes - status.ownerUsedBytes,
      );
      location.space = { free: Math.max(0, free), capacity: status.capacityBytes };
      location.restingUntil = 0;
    } catch (error) {
      if (HoldfastError.is(error, 'CANCELLED')) throw error;
      location.space = null;
      this.noteFailure(location.record.id, error);
    }
  }

  #count(location: Location, event: PeerEvent): void {
    location.events.set(event, (location.events.get(event) ?? 0) + 1);
  }

  /** Shards may lie on peers that have left: they are known by their id alone. */
  #location(peer: PeerId): Location {
    let location = this.#locations.get(peer);
    if (!location) {
      location = newLocation({
        id: peer,
        name: peer,
        operator: '',
        region: '',
        host: '',
        port: 0,
        state: 'left',
      });
      this.#locations.set(peer, location);
    }
    return location;
  }
}

const newLocation = (record: PeerRecord): Location => ({
  record,
  gauge: new PeerGauge(),
  space: null,
  restingUntil: 0,
  wrongBytes: 0,
  missing: 0,
  unreachable: 0,
  events: new Map(),
});
