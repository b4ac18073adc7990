import {
  type Catalog,
  type Clock,
  type ErrorCode,
  HoldfastError,
  type PeerEvent,
  type PeerId,
  type PeerRecord,
  type PeerStatus,
  type PeerView,
  type ShardTransport,
  type SwarmView,
} from '@holdfast/contracts';
import { roundedLatency } from '@holdfast/formats';
import { type Candidate, candidatesFrom } from '@holdfast/placement';
import type { EngineEvent, PeerFault } from '../api.ts';
import { candidateOf, factsOf, type Location, newLocation } from './location.ts';
import type { PeerGauge } from './peer-gauge.ts';
import { ProbeLog } from './probe-log.ts';
import { statusRound } from './status-round.ts';

/** How long a run waits for peers before it begins without them. */
const PATIENCE = 5_000;
/** After a failed transfer a peer gets no new shards for this long. */
const REST_AFTER_FAILURE = 30_000;
const REVISIT_INTERVAL = 30_000;
/** Behind every peer that answers. */
const ABSENT = 1e9;

export interface StorageOptions {
  readonly catalog: Catalog;
  readonly transport: ShardTransport;
  readonly clock: Clock;
  readonly failureDomains?: ReadonlyMap<PeerId, readonly string[]> | undefined;
  readonly onEvent?: (event: EngineEvent) => void;
}

/** The storage locations of one run: who is there, with how much room, how fast, and what went wrong with whom. */
export class StorageManager {
  readonly #options: StorageOptions;
  readonly #locations = new Map<PeerId, Location>();
  /** Everyone the catalog knows, also who has left: past holders count for separation. */
  readonly #records = new Map<PeerId, PeerRecord>();
  readonly #probes = new ProbeLog();
  readonly #recorded = new WeakMap<SwarmView, Promise<number>>();
  /** Made when it is asked for; null after a fact other than free room has changed. */
  #view: { readonly peers: readonly PeerView[]; readonly byId: ReadonlyMap<PeerId, PeerView> } | null = null;
  #askedAt = 0;

  constructor(options: StorageOptions) {
    this.#options = options;
  }

  /**
   * Asks every active peer for its status, all at once.
   *
   * @param patience milliseconds after which those that have not answered are taken for unreachable, until they do.
   */
  async refresh(signal: AbortSignal, patience = PATIENCE): Promise<void> {
    for (const record of await this.#options.catalog.peers()) {
      this.#records.set(record.id, record);
      if (record.state === 'active' && !this.#locations.has(record.id))
        this.#locations.set(record.id, newLocation(record));
    }
    this.#view = null;
    this.#askedAt = this.#options.clock.monotonic();
    const answers = this.#round([...this.#locations.values()], signal);
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
    const absent = [...this.#locations.values()].filter(
      ({ space, record }) => space === null && record.state === 'active',
    );
    this.#round(absent, signal).catch(() => {});
  }

  /** Peers that may get new shards now; with `resting` also those that just failed. */
  candidates(options: { resting?: boolean } = {}): Candidate[] {
    const now = this.#options.clock.monotonic();
    const candidates: Candidate[] = [];
    for (const location of this.#locations.values()) {
      const { record, space, restingUntil } = location;
      if (space === null || (restingUntil > now && !options.resting)) continue;
      candidates.push(candidateOf(this.#facts(record)));
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

  /** How many belong to the swarm, and how many of them answered when last asked. */
  availability(): { members: number; answering: number } {
    const members = this.active();
    const answering = members.filter(({ id }) => this.#locations.get(id)?.space);
    return { members: members.length, answering: answering.length };
  }

  /**
   * What is known of everyone in the catalog, for recording a placement. The same list until a fact other than free room
   * changes; free room is that of the moment when the list was made.
   */
  view(): SwarmView {
    return this.#current().peers;
  }

  /** The same by peer, for checking a placement. */
  facts(): ReadonlyMap<PeerId, PeerView> {
    return this.#current().byId;
  }

  /** The number of the view in the catalog, where it is written at most once. */
  record(view: SwarmView): Promise<number> {
    const known = this.#recorded.get(view);
    if (known) return known;
    const recording = this.#options.catalog.recordSwarmView(view);
    this.#recorded.set(view, recording);
    return recording;
  }

  /**
   * Everyone the catalog knows as candidates, and among them those who cannot take a shard now: choosing one shard's
   * peer needs the operators of all who hold the others.
   */
  everyone(options: { resting: boolean }): { candidates: Candidate[]; unable: Set<PeerId> } {
    const able = new Map(this.candidates(options).map((candidate) => [candidate.id, candidate]));
    const candidates: Candidate[] = [];
    const unable = new Set<PeerId>();
    for (const record of this.#records.values()) {
      const candidate = able.get(record.id);
      candidates.push(candidate ?? candidateOf(this.#facts(record)));
      if (!candidate) unable.add(record.id);
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

  /** Writes the run's counts and probes into the catalog, once, at its end. */
  async recordEvents(): Promise<void> {
    for (const { record, events } of this.#locations.values()) {
      for (const [event, count] of events)
        await this.#options.catalog.countPeerEvent(record.id, event, count);
      events.clear();
    }
    await this.#probes.write(this.#options.catalog);
  }

  async #round(locations: readonly Location[], signal: AbortSignal): Promise<void> {
    const { transport, clock } = this.#options;
    const peers = locations.map(({ record }) => record.id);
    const answers = await statusRound({ transport, clock, signal, ...this.#answers }, peers);
    this.#probes.note(answers, clock.now(), this.reachable().length > 0);
  }

  readonly #answers = {
    answered: (peer: PeerId, status: PeerStatus): void => {
      const location = this.#location(peer);
      const { candidates, rejected } = candidatesFrom([location.record], new Map([[peer, status]]));
      const [candidate] = candidates;
      if (!candidate) throw new HoldfastError('PEER_PROTOCOL', `Peer ${peer} ${rejected[0]?.reason}.`);
      location.space = { free: candidate.freeBytes, capacity: candidate.capacityBytes };
      location.restingUntil = 0;
      this.#view = null;
    },
    failed: (peer: PeerId, error: unknown): void => {
      this.#location(peer).space = null;
      this.#view = null;
      this.noteFailure(peer, error);
    },
    timed: (peer: PeerId, milliseconds: number): void => {
      const location = this.#location(peer);
      location.latencyMs = roundedLatency(Math.min(milliseconds, location.latencyMs ?? milliseconds));
      this.#view = null;
    },
  };

  #current() {
    if (this.#view) return this.#view;
    const peers = [...this.#records.values()].map((record) => this.#facts(record));
    this.#view = { peers, byId: new Map(peers.map((peer) => [peer.id, peer])) };
    return this.#view;
  }

  #facts(record: PeerRecord) {
    const domains = this.#options.failureDomains?.get(record.id) ?? [];
    return factsOf(record, domains, this.#locations.get(record.id));
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
