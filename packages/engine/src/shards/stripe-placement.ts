import {
  HoldfastError,
  type MoveNote,
  type PartitionId,
  type PeerId,
  type PeerView,
  type PlacementNote,
  type Random,
  type Stripe,
  type SwarmView,
} from '@holdfast/contracts';
import {
  assignStripe,
  auditPlacement,
  type Candidate,
  type PlacementMode,
  type PlacementRules,
  type Relaxation,
  reassignShard,
  verifyPlacement,
} from '@holdfast/placement';
import type { EngineEvent, PlacementPolicy } from '../api.ts';
import { recordedPolicy, rulesFor, stricter } from '../placement-policy.ts';
import type { StorageManager } from '../storage/storage-manager.ts';

interface Held {
  readonly index: number;
  readonly peer: PeerId;
}

/** What an earlier run recorded of its choice. */
export interface EarlierChoice {
  readonly facts: ReadonlyMap<PeerId, PeerView>;
  readonly rules: PlacementRules;
  readonly relaxations: readonly Relaxation[];
}

interface Placed {
  readonly peers: PeerId[];
  readonly history: Held[];
  readonly rules: PlacementRules;
  readonly record: EarlierChoice | null;
}

type Shape = Pick<Stripe, 'k' | 'm' | 'sizeClass'>;

export interface PlacementContext {
  readonly storage: StorageManager;
  readonly policy: PlacementPolicy;
  readonly mode: PlacementMode;
  /** Of the epoch. */
  readonly salt: Uint8Array;
  readonly random: Random;
  /** Wall clock, ms. */
  readonly now: number;
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
  /** The facts that the first choice was made by. */
  readonly #view: SwarmView;
  /** Of each peer what was known when it was chosen. */
  readonly #facts: Map<PeerId, PeerView>;
  /** Given up so far, by rule; null where an earlier program did not record it. */
  readonly #relaxed: Map<string, Relaxation> | null;
  readonly #rounds = new Map<number, number>();

  private constructor(context: PlacementContext, partition: PartitionId, placed: Placed) {
    this.#context = context;
    this.#partition = partition;
    this.#rules = placed.rules;
    this.#peers = placed.peers;
    this.#history = placed.history;
    this.#view = context.storage.view();
    this.#facts = new Map(placed.record?.facts ?? context.storage.facts());
    this.#relaxed = placed.record && new Map(placed.record.relaxations.map((one) => [one.rule, one]));
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
    const record = { facts: storage.facts(), rules, relaxations: plan.relaxations };
    const placement = new StripePlacement(context, partition, { peers, history, rules, record });
    placement.#tell(plan.relaxations);
    placement.#check();
    for (const peer of peers) storage.reserve(peer, shape.sizeClass);
    return placement;
  }

  /** A stripe that an earlier run placed: PLACEMENT_REFUSED where it does not keep today's hard rules. */
  static resume(
    context: PlacementContext,
    stripe: Stripe,
    history: readonly Held[],
    record: EarlierChoice | null,
  ): StripePlacement {
    const today = rulesFor(context.policy, stripe);
    const placement = new StripePlacement(context, stripe.id, {
      peers: stripe.shards.map(({ peer }) => peer),
      history: [...history],
      rules: record ? stricter(record.rules, today) : today,
      record,
    });
    placement.#checkHolders();
    return placement;
  }

  peer(index: number): PeerId {
    return this.#peers[index]!;
  }

  /** Of a new placement, for the catalog. */
  async note(): Promise<PlacementNote> {
    const { storage, policy, mode } = this.#context;
    const view = await storage.record(this.#view);
    return { policy: recordedPolicy(policy, mode), view, relaxations: [...(this.#relaxed?.values() ?? [])] };
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
        candidates: candidates.map((candidate) => this.#asChosen(candidate, index)),
        rules: this.#rules,
        salt,
        exclude: new Set([...unable, ...exclude]),
      });
    });
    for (const relaxation of relaxations) this.#relaxed?.set(relaxation.rule, relaxation);
    this.#tell(relaxations);
    this.#peers[index] = peer;
    this.#history.push({ index, peer });
    for (const fact of view)
      if (fact.id === peer || !this.#facts.has(fact.id)) this.#facts.set(fact.id, fact);
    this.#check();
    storage.reserve(peer, this.#rules.shardBytes);
    return { peer, note: async () => ({ view: await storage.record(view), relaxations }) };
  }

  /** How often now this shard has found no other peer. */
  noteNoAlternative(index: number): number {
    const round = (this.#rounds.get(index) ?? 0) + 1;
    this.#rounds.set(index, round);
    return round;
  }

  /** Who stays is judged by the facts that the catalog has of the choice, so that both come to the same. */
  #asChosen(candidate: Candidate, index: number): Candidate {
    const place = this.#peers.indexOf(candidate.id);
    const { latencyMs, packetLoss, reputation } = this.#facts.get(candidate.id) ?? candidate;
    return place < 0 || place === index ? candidate : { ...candidate, latencyMs, packetLoss, reputation };
  }

  #tell(relaxations: readonly Relaxation[]): void {
    for (const { rule, reason } of relaxations) {
      this.#context.onEvent?.({ type: 'placement-relaxed', partition: this.#partition, rule, reason });
    }
  }

  /** Nothing is sent before code that shares nothing with the choice agrees to it, by the facts that are recorded. */
  #check(): void {
    this.#checkHolders();
    if (this.#relaxed === null) return;
    const { violations } = auditPlacement({
      partition: this.#partition,
      placed: this.#history.map((held) => ({ ...held, past: this.#peers[held.index] !== held.peer })),
      facts: this.#facts,
      rules: this.#rules,
      relaxations: [...this.#relaxed.values()],
      now: this.#context.now,
    });
    if (violations.length > 0) throw broken(this.#partition, violations);
  }

  /** By what is known of the peers today. */
  #checkHolders(): void {
    const violations = verifyPlacement({
      partition: this.#partition,
      placed: this.#history,
      facts: this.#context.storage.facts(),
      rules: this.#rules,
    });
    if (violations.length > 0) throw broken(this.#partition, violations);
  }
}

const broken = (partition: PartitionId, violations: readonly object[]): HoldfastError =>
  new HoldfastError('PLACEMENT_REFUSED', `The placement of partition ${partition} breaks a rule.`, {
    hint: 'The verifier stopped it before anything was sent. Unless peers or limits have changed, this is a bug in the assignment.',
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
