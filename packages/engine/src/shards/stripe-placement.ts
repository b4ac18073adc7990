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

/** Who has, or may have, what; and what was known when it was chosen. */
interface State {
  /** Index i is to have shard i. */
  readonly peers: readonly PeerId[];
  readonly history: readonly Held[];
  /** Of each peer in the history, by the time it was chosen. */
  readonly facts: ReadonlyMap<PeerId, PeerView>;
  /** Given up so far, by rule; null where an earlier program did not record it. */
  readonly relaxed: ReadonlyMap<string, Relaxation> | null;
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
  /** Orders of peers that were tried; null for a stripe that an earlier run placed. */
  readonly attempts: number | null;
  readonly #context: PlacementContext;
  readonly #partition: PartitionId;
  readonly #rules: PlacementRules;
  readonly #rounds = new Map<number, number>();
  /** The facts that the first choice was made by. */
  readonly #view: SwarmView;
  #state: State;

  private constructor(
    context: PlacementContext,
    partition: PartitionId,
    placed: { readonly rules: PlacementRules; readonly state: State; readonly attempts?: number },
  ) {
    this.attempts = placed.attempts ?? null;
    this.#context = context;
    this.#partition = partition;
    this.#rules = placed.rules;
    this.#state = placed.state;
    this.#view = context.storage.view();
  }

  /** PLACEMENT_REFUSED when a hard rule cannot be met. Counts the shards' bytes against the peers' room. */
  static assign(context: PlacementContext, partition: PartitionId, shape: Shape): StripePlacement {
    const { storage, salt, policy, mode } = context;
    const rules = rulesFor(policy, shape);
    const random = mode === 'random' ? { random: context.random } : {};
    const { peers, relaxations, attempts } = withRestingIfNeeded((resting) =>
      assignStripe({ partition, candidates: storage.candidates({ resting }), rules, salt, ...random }),
    );
    const state = {
      peers,
      history: peers.map((peer, index) => ({ peer, index })),
      facts: factsAbout(peers, storage.facts()),
      relaxed: byRule(relaxations),
    };
    const placement = new StripePlacement(context, partition, { rules, state, attempts });
    placement.#verify(state);
    placement.#tell(relaxations);
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
      rules: record ? stricter(record.rules, today) : today,
      state: {
        peers: stripe.shards.map(({ peer }) => peer),
        history,
        facts: record?.facts ?? new Map(),
        relaxed: record && byRule(record.relaxations),
      },
    });
    placement.#verifyHolders(history);
    return placement;
  }

  peer(index: number): PeerId {
    return this.#state.peers[index]!;
  }

  /** Of a new placement, for the catalog. */
  async note(): Promise<PlacementNote> {
    const { storage, policy, mode } = this.#context;
    const relaxations = [...(this.#state.relaxed?.values() ?? [])];
    return { policy: recordedPolicy(policy, mode), view: await storage.record(this.#view), relaxations };
  }

  /**
   * Chooses another peer for a shard that its peer did not take. PLACEMENT_REFUSED when there is none, and then all stays
   * as it was.
   */
  move(index: number, exclude: ReadonlySet<PeerId>): Move {
    const { storage, salt } = this.#context;
    const { peers, history, facts, relaxed } = this.#state;
    const view = storage.view();
    const { peer, relaxations } = withRestingIfNeeded((resting) => {
      const { candidates, unable } = storage.everyone({ resting });
      return reassignShard({
        partition: this.#partition,
        index,
        current: peers,
        pastHolders: history,
        candidates: candidates.map((candidate) => this.#asChosen(candidate, index)),
        rules: this.#rules,
        salt,
        exclude: new Set([...unable, ...exclude]),
      });
    });
    const state = {
      peers: peers.with(index, peer),
      history: [...history, { index, peer }],
      facts: new Map([...facts, ...factsAbout([peer], storage.facts())]),
      relaxed: relaxed && new Map([...relaxed, ...byRule(relaxations)]),
    };
    this.#verify(state);
    this.#state = state;
    this.#tell(relaxations);
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
    const { peers, facts } = this.#state;
    const place = peers.indexOf(candidate.id);
    const chosen = facts.get(candidate.id);
    if (place < 0 || place === index || !chosen) return candidate;
    const { region, latencyMs, packetLoss, reputation } = chosen;
    return { ...candidate, region, latencyMs, packetLoss, reputation };
  }

  #tell(relaxations: readonly Relaxation[]): void {
    for (const { rule, reason } of relaxations) {
      this.#context.onEvent?.({ type: 'placement-relaxed', partition: this.#partition, rule, reason });
    }
  }

  /** Nothing is sent before code that shares nothing with the choice agrees to it, by the facts that are recorded. */
  #verify({ peers, history, facts, relaxed }: State): void {
    this.#verifyHolders(history);
    if (relaxed === null) return;
    const { violations } = auditPlacement({
      partition: this.#partition,
      placed: history.map((held) => ({ ...held, past: peers[held.index] !== held.peer })),
      facts,
      rules: this.#rules,
      relaxations: [...relaxed.values()],
      now: this.#context.now,
    });
    if (violations.length > 0) throw broken(this.#partition, violations);
  }

  /** By what is known of the peers today. */
  #verifyHolders(history: readonly Held[]): void {
    const violations = verifyPlacement({
      partition: this.#partition,
      placed: history,
      facts: factsAbout(
        history.map(({ peer }) => peer),
        this.#context.storage.facts(),
      ),
      rules: this.#rules,
    });
    if (violations.length > 0) throw broken(this.#partition, violations);
  }
}

/** Few out of many: the verifier looks at every fact that it gets. */
function factsAbout(peers: readonly PeerId[], facts: ReadonlyMap<PeerId, PeerView>): Map<PeerId, PeerView> {
  return new Map(
    peers.flatMap((peer) => {
      const fact = facts.get(peer);
      return fact ? [[peer, fact] as const] : [];
    }),
  );
}

const byRule = (relaxations: readonly Relaxation[]): Map<string, Relaxation> =>
  new Map(relaxations.map((relaxation) => [relaxation.rule, relaxation]));

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
