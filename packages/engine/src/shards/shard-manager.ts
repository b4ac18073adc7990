import {
  type Catalog,
  type Clock,
  HoldfastError,
  type PartitionJournal,
  type PeerId,
  type Random,
  type ShardId,
  type ShardTransport,
  type Stripe,
} from '@holdfast/contracts';
import { wipe } from '@holdfast/crypto';
import type { EngineEvent, PlacementCounts, Policy } from '../api.ts';
import { TaskGroup } from '../flow/task-group.ts';
import type { ArenaReference, SealedStripe } from '../sealing/protocol.ts';
import { slotView } from '../sealing/slot-view.ts';
import type { StorageManager } from '../storage/storage-manager.ts';
import { type FetchOutcome, fetchShards } from './fetch-race.ts';
import { newSurvey, type ShardSurvey } from './shard-survey.ts';
import type { StripePlacement } from './stripe-placement.ts';
import { StripePlacer } from './stripe-placer.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** The same peer is asked once more before its shard goes elsewhere: most failures are a connection that broke. */
const ATTEMPTS_PER_PEER = 2;
const RETRY_DELAY_MS = 100;
/** In a small swarm there may be no other peer: its own one gets this many more chances, about twelve seconds in all. */
const ROUNDS_WITHOUT_ALTERNATIVE = 6;
/** HAVE and LEASE take at most this many ids. */
const IDS_PER_REQUEST = 1000;

export interface ShardManagerOptions {
  readonly transport: ShardTransport;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: StorageManager;
  readonly policy: Policy;
  readonly placementSalt: Uint8Array;
  readonly shardId: (epoch: number, partition: Stripe['id'], index: number) => ShardId;
  readonly onEvent?: (event: EngineEvent) => void;
}

export interface StoreOutcome {
  readonly stripe: Stripe;
  readonly sent: number;
  readonly sentBytes: number;
}

/** Of a new stripe: whose backup it is part of, and what it is there. */
export interface Belonging extends Pick<Stripe, 'kind' | 'dependencies'> {
  readonly source: string;
}

export interface ShardPlace {
  readonly stripe: Stripe;
  readonly index: number;
}

/** Moves whole stripes between an arena and the peers. */
export class ShardManager {
  readonly #options: ShardManagerOptions;
  readonly #placer: StripePlacer;

  constructor(options: ShardManagerOptions) {
    this.#options = options;
    this.#placer = new StripePlacer(options);
  }

  /** So far. */
  get placements(): PlacementCounts {
    return this.#placer.counts;
  }

  /** Places, journals and sends a new stripe. Resolves when all its shards are durable and the catalog knows. */
  async store(
    sealed: SealedStripe,
    { source, kind, dependencies }: Belonging,
    signal: AbortSignal,
  ): Promise<StoreOutcome> {
    const { identity, k, m, helpers, sizeClass, frames, hashes } = sealed;
    this.#options.storage.revisit(signal);
    const placement = await this.#placer.assign(identity.id, { k, m, sizeClass });
    const stripe: Stripe = {
      id: identity.id,
      number: identity.number,
      kind,
      epoch: identity.epoch,
      k,
      m,
      helpers,
      sizeClass,
      size: sealed.size,
      rawSize: sealed.rawSize,
      checksum: sealed.checksum,
      dependencies,
      shards: hashes.map((hash, index) => ({ hash, peer: placement.peer(index) })),
    };
    const journal = {
      stripe,
      source,
      frames: frames.map(({ chunks, codec }) => ({ chunks, codec })),
      packageKey: identity.packageKey,
      acknowledged: [],
    };
    await this.#options.catalog.journalPartition(journal, await placement.note());
    // From here on it is in the journal only, until the partition is complete.
    wipe(identity.packageKey);
    return this.#send(stripe, placement, sealed.arena, new Set(), signal);
  }

  /** Whether an earlier run's placement keeps today's rules: peers may have been removed since, or limits lowered. */
  async mayResume(stripe: Stripe): Promise<boolean> {
    try {
      await this.#placer.resume(stripe);
      return true;
    } catch (error) {
      if (HoldfastError.is(error, 'PLACEMENT_REFUSED')) return false;
      throw error;
    }
  }

  /** Sends what an earlier run had not yet sent of a stripe that has been sealed again, byte for byte the same. */
  async storeRest(
    journal: PartitionJournal,
    arena: ArenaReference,
    signal: AbortSignal,
  ): Promise<StoreOutcome> {
    const { stripe } = journal;
    wipe(journal.packageKey);
    const placement = await this.#placer.resume(stripe);
    return this.#send(stripe, placement, arena, new Set(journal.acknowledged), signal);
  }

  /** What the peers say they have of the stripes. Peers that do not answer say nothing: neither present nor missing. */
  async survey(stripes: readonly Stripe[], signal?: AbortSignal): Promise<Map<Stripe, ShardSurvey>> {
    const answers = new Map(stripes.map((stripe) => [stripe, newSurvey()]));
    const byPeer = new Map<PeerId, ShardPlace[]>();
    for (const stripe of stripes) {
      for (const [index, { peer }] of stripe.shards.entries()) {
        if (!this.#options.storage.isUp(peer)) continue;
        const places = byPeer.get(peer) ?? [];
        byPeer.set(peer, places);
        places.push({ stripe, index });
      }
    }
    await Promise.all(
      [...byPeer].map(([peer, places]) =>
        this.#inBatches(peer, places, signal, async (batch, ids) => {
          const held = await this.#options.transport.have(peer, ids, { signal });
          for (const [i, { stripe, index }] of batch.entries()) {
            const answer = answers.get(stripe)!;
            const has = held[i]?.hash === stripe.shards[index]!.hash;
            if (has) answer.leases.set(index, held[i]!.leaseUntil);
            (has ? answer.present : answer.missing).add(index);
          }
        }),
      ),
    );
    return answers;
  }

  /** Best effort: a lease that could not be renewed now is still due next time. */
  async renewLeases(
    due: ReadonlyMap<PeerId, ShardPlace[]>,
    until: number,
    signal?: AbortSignal,
  ): Promise<void> {
    await Promise.all(
      [...due].map(([peer, places]) =>
        this.#inBatches(peer, places, signal, async (_, ids) => {
          await this.#options.transport.lease(peer, ids, until, { signal });
        }),
      ),
    );
  }

  /** Fetches `want` good shards into the arena; see `fetchShards`. */
  fetch(stripe: Stripe, arena: ArenaReference, want: number, signal: AbortSignal): Promise<FetchOutcome> {
    const { transport, storage, clock, onEvent } = this.#options;
    const context = {
      transport,
      storage,
      clock,
      onEvent,
      shardId: (s: Stripe, index: number) => this.shardId(s, index),
    };
    return fetchShards(context, stripe, (index) => slotView(arena, index, stripe.sizeClass), {
      want,
      signal,
    });
  }

  shardId(stripe: Pick<Stripe, 'id' | 'epoch'>, index: number): ShardId {
    return this.#options.shardId(stripe.epoch, stripe.id, index);
  }

  async #send(
    stripe: Stripe,
    placement: StripePlacement,
    arena: ArenaReference,
    done: ReadonlySet<number>,
    signal: AbortSignal,
  ): Promise<StoreOutcome> {
    const tasks = new TaskGroup(signal);
    let sent = 0;
    for (const [index] of stripe.shards.entries()) {
      if (done.has(index)) continue;
      tasks.run(async () => {
        if ((await this.#sendShard(stripe, index, placement, arena, tasks.signal)) === 'stored') sent++;
        await this.#options.catalog.acknowledgeShards([{ partition: stripe.id, index }]);
      });
    }
    await tasks.settle();
    const complete = await this.#options.catalog.completePartition(stripe.id);
    return { stripe: complete, sent, sentBytes: sent * stripe.sizeClass };
  }

  async #sendShard(
    stripe: Stripe,
    index: number,
    placement: StripePlacement,
    arena: ArenaReference,
    signal: AbortSignal,
  ) {
    const { catalog, onEvent } = this.#options;
    const refused = new Set<PeerId>();
    for (;;) {
      const peer = placement.peer(index);
      const failure = await this.#offer(stripe, index, peer, arena, signal);
      if (typeof failure === 'string') return failure;
      refused.add(peer);
      this.#options.storage.noteFailure(peer, failure.error);
      const to = await this.#elsewhere(placement, index, refused, signal);
      if (to === null) continue;
      await catalog.moveJournalledShard(stripe.id, index, to.peer, await to.note());
      onEvent?.({ type: 'shard-moved', partition: stripe.id, index, from: peer, to: to.peer });
    }
  }

  /** Null: nobody else may take it, so the same peer is worth another try after a pause. Gives up after a while. */
  async #elsewhere(placement: StripePlacement, index: number, refused: Set<PeerId>, signal: AbortSignal) {
    const { clock, random } = this.#options;
    try {
      return placement.move(index, refused);
    } catch (error) {
      const round = placement.noteNoAlternative(index);
      if (!HoldfastError.is(error, 'PLACEMENT_REFUSED') || round > ROUNDS_WITHOUT_ALTERNATIVE) throw error;
      await clock.sleep(RETRY_DELAY_MS * 2 ** round * (0.5 + random.uniform()), { signal });
      refused.clear();
      return null;
    }
  }

  /** Tries one peer. Throws only when the whole run is over. */
  async #offer(stripe: Stripe, index: number, peer: PeerId, arena: ArenaReference, signal: AbortSignal) {
    const { transport, storage, clock, random, policy } = this.#options;
    const shard = {
      id: this.shardId(stripe, index),
      hash: stripe.shards[index]!.hash,
      bytes: slotView(arena, index, stripe.sizeClass),
      leaseUntil: clock.now() + policy.leaseDays * DAY_MS,
    };
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await transport.put(peer, shard, { signal });
        storage.noteGood(peer, 'stored');
        return result;
      } catch (error) {
        if (signal.aborted) throw error;
        const passing = HoldfastError.is(error, 'PEER_UNREACHABLE', 'PEER_BUSY');
        if (!passing || attempt >= ATTEMPTS_PER_PEER) return { error };
        await clock.sleep(RETRY_DELAY_MS * (0.5 + random.uniform()), { signal });
      }
    }
  }

  /** Stops asking a peer that fails, and takes note of it. */
  async #inBatches(
    peer: PeerId,
    places: readonly ShardPlace[],
    signal: AbortSignal | undefined,
    ask: (batch: readonly ShardPlace[], ids: ShardId[]) => Promise<void>,
  ): Promise<void> {
    try {
      for (let at = 0; at < places.length; at += IDS_PER_REQUEST) {
        const batch = places.slice(at, at + IDS_PER_REQUEST);
        await ask(
          batch,
          batch.map(({ stripe, index }) => this.shardId(stripe, index)),
        );
      }
    } catch (error) {
      if (signal?.aborted) throw error;
      this.#options.storage.noteFailure(peer, error);
    }
  }
}
