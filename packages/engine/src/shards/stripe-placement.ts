import {
  HoldfastError,
  type MoveNote,
  type PartitionId,
  type PeerId,
  type PlacementNote,
  type PlacementRecord,
  type Random,
  type Stripe,
  type SwarmView,
} from '@holdfast/contracts';
import {
  assignStripe,
  type PlacementMode,
  type PlacementRules,
  type Relaxation,
  reassignShard,
  verifyPlacement,
  verifySpread,
} from '@holdfast/placement';
import type { EngineEvent, PlacementPolicy } from '../api.ts';
import { recordedPolicy, rulesFor } from '../placement-policy.ts';
import type { StorageManager } from '../storage/storage-manager.ts';

interface Held {
  readonly index: number;
  readonly peer: PeerId;
}

type Shape = Pick<Stripe, 'k' | 'm' | 'sizeClass'>;

export interface PlacementContext {
  readonly storage: StorageManager;
  readonly policy: PlacementPolicy;
  readonly mode: PlacementMode;
  /** Of the epoch. */
  readonly salt: Uint8Array;
  readonly random: Random;
  readonly onEvent?: ((event: EngineEvent) => void) | undefined;
}

/** Another peer for one shard, and what the catalog is to know of it. */
export interface Move {
  readonly peer: PeerId;
  note(): Promise<MoveNote>;
}

/**
 * Where one stripe's shards go, now and after failures. Knows everyone who may ever have held one of them, because
 * separation counts past holders: a peer whose PUT failed midway may have the shard all the same.
 */
export class StripePlacement {
  readonly #context: PlacementContext;
  readonly #partition: PartitionId;
  readonly #rules: PlacementRules;
  readonly #peers: PeerId[];
  readonly #history: Held[];
  /** The facts that the choice was made by. */
  readonly #view: SwarmView;
  /** Rules that are given up so far; null where an earlier program did not record it. */
  readonly #relaxed: Set<string> | null;
  #relaxations: readonly Relaxation[] = [];
  readonly #rounds = new Map<number, number>();

  private constructor(
    context: PlacementContext,
    partition: PartitionId,
    shape: Shape,
    placed: { peers: PeerId[]; history: Held[]; relaxed: Set<string> | null },
  ) {
    this.#context = context;
    this.#partition = partition;
    this.#rules = rulesFor(context.policy, shape);
    this.#peers = placed.peers;
    this.#history = placed.history;
    this.#relaxed = placed.relaxed;
    this.#view = context.storage.view();
  }

  /** PLACEMENT_REFUSED when a hard rule cannot be met. Counts the shards' bytes against the peers' room. */
  static assign(context: PlacementContext, partition: PartitionId, shape: Shape): StripePlacement {
    const { storage, salt, policy, mode } = context;
    const rules = rulesFor(policy, shape);
    const random = mode === 'random' ? { random: context.random } : {};
    const plan = withRestingIfNeeded((resting) =>
      assignStripe({ partition, candidates: storage.candidates({ resting }), rules, salt, ...random }),
    );
    const peers = [...plan.peers];
    const history = peers.map((peer, index) => ({ peer, index }));
    const placement = new StripePlacement(context, partition, shape, { peers, history, relaxed: new Set() });
    placement.#relax(plan.relaxations);
    placement.#relaxations = plan.relaxations;
    placement.#check();
    placement.#checkSpread();
    for (const peer of peers) storage.reserve(peer, shape.sizeClass);
    return placement;
  }

  /** A stripe that an earlier run placed: PLACEMENT_REFUSED where it does not keep today's hard rules. */
  static resume(
    context: PlacementContext,
    stripe: Stripe,
    history: readonly Held[],
    record: PlacementRecord | null,
  ): StripePlacement {
    const placement = new StripePlacement(context, stripe.id, stripe, {
      peers: stripe.shards.map(({ peer }) => peer),
      history: [...history],
      relaxed: record && new Set(record.relaxations.map(({ rule }) => rule)),
    });
    placement.#check();
    return placement;
  }

  peer(index: number): PeerId {
    return this.#peers[index]!;
  }

  /** Of a new placement, for the catalog. */
  async note(): Promise<PlacementNote> {
    const { storage, policy, mode } = this.#context;
    const view = await storage.record(this.#view);
    return { policy: recordedPolicy(policy, mode), view, relaxations: this.#relaxations };
  }

  /** Chooses another peer for a shard that its peer did not take. PLACEMENT_REFUSED when there is none. */
  move(index: number, exclude: ReadonlySet<PeerId>): Move {
    const { storage, salt } = this.#context;
    const view = storage.view();
    const { peer, relaxations } = withRestingIfNeeded((resting) => {
      const { candidates, unable } = storage.everyone({ resting });
      return reassignShard({
        partition: this.#partition,
        index,
        current: this.#peers,
        pastHolders: this.#history,
        candidates,
        rules: this.#rules,
        salt,
        exclude: new Set([...unable, ...exclude]),
      });
    });
    this.#relax(relaxations);
    this.#peers[index] = peer;
    this.#history.push({ index, peer });
    this.#check();
    this.#checkSpread();
    storage.reserve(peer, this.#rules.shardBytes);
    return { peer, note: async () => ({ view: await storage.record(view), relaxations }) };
  }

  /** How often now this shard has found no other peer. */
  noteNoAlternative(index: number): number {
    const round = (this.#rounds.get(index) ?? 0) + 1;
    this.#rounds.set(index, round);
    return round;
  }

  #relax(relaxations: readonly Relaxation[]): void {
    for (const { rule, reason } of relaxations) {
      this.#relaxed?.add(rule);
      this.#context.onEvent?.({ type: 'placement-relaxed', partition: this.#partition, rule, reason });
    }
  }

  /** Nothing is sent before code that shares nothing with the choice agrees to it. */
  #check(): void {
    const violations = verifyPlacement({
      partition: this.#partition,
      placed: this.#history,
      facts: this.#context.storage.facts(),
      rules: this.#rules,
    });
    if (violations.length > 0) throw broken(this.#partition, violations);
  }

  /** The same for soft rules: what is not kept must be among what is recorded. */
  #checkSpread(): void {
    const relaxed = this.#relaxed;
    if (relaxed === null) return;
    const placed = this.#peers.map((peer, index) => ({ index, peer }));
    const facts = this.#context.storage.facts();
    const unrecorded = verifySpread({ placed, facts, rules: this.#rules }).filter(
      ({ rule }) => !relaxed.has(rule) && !this.#rules.off.includes(rule),
    );
    if (unrecorded.length > 0) throw broken(this.#partition, unrecorded);
  }
}

const broken = (partition: PartitionId, violations: readonly object[]): HoldfastError =>
  new HoldfastError('PLACEMENT_REFUSED', `The placement of partition ${partition} breaks a rule.`, {
    hint: 'This is a bug in the assignment; the verifier stopped it before anything was sent.',
    details: { partition, violations },
  });

/** Peers that just failed are left out, unless without them a hard rule could not be met. */
function withRestingIfNeeded<T>(plan: (resting: boolean) => T): T {
  try {
    return plan(false);
  } catch (error) {
    if (!HoldfastError.is(error, 'PLACEMENT_REFUSED')) throw error;
    return plan(true);
  }
}
