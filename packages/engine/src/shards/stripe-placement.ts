import { HoldfastError, type PartitionId, type PeerId } from '@holdfast/contracts';
import {
  assignStripe,
  defaultRules,
  type PlacementRules,
  reassignShard,
  verifyPlacement,
} from '@holdfast/placement';
import type { EngineEvent, Policy } from '../api.ts';
import type { StorageManager } from '../storage/storage-manager.ts';

interface Held {
  readonly index: number;
  readonly peer: PeerId;
}

export interface PlacementContext {
  readonly storage: StorageManager;
  readonly policy: Policy;
  readonly salt: Uint8Array;
  readonly onEvent?: (event: EngineEvent) => void;
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
  readonly #rounds = new Map<number, number>();

  private constructor(
    context: PlacementContext,
    partition: PartitionId,
    rules: PlacementRules,
    peers: PeerId[],
    history: Held[],
  ) {
    this.#context = context;
    this.#partition = partition;
    this.#rules = rules;
    this.#peers = peers;
    this.#history = history;
    this.#check();
  }

  /** PLACEMENT_REFUSED when a hard rule cannot be met. Counts the shards' bytes against the peers' room. */
  static assign(
    context: PlacementContext,
    partition: PartitionId,
    shape: { k: number; m: number; sizeClass: number },
  ): StripePlacement {
    const rules = rulesFor(context.policy, shape);
    const { storage, salt } = context;
    const plan = withRestingIfNeeded((resting) =>
      assignStripe({ partition, candidates: storage.candidates({ resting }), rules, salt }),
    );
    for (const { rule, reason } of plan.relaxations) {
      context.onEvent?.({ type: 'placement-relaxed', partition, rule, reason });
    }
    const peers = [...plan.peers];
    for (const peer of peers) storage.reserve(peer, shape.sizeClass);
    return new StripePlacement(
      context,
      partition,
      rules,
      peers,
      peers.map((peer, index) => ({ peer, index })),
    );
  }

  /** A stripe that an earlier run placed. */
  static resume(
    context: PlacementContext,
    partition: PartitionId,
    shape: { k: number; m: number; sizeClass: number },
    peers: readonly PeerId[],
    history: readonly Held[],
  ): StripePlacement {
    return new StripePlacement(context, partition, rulesFor(context.policy, shape), [...peers], [...history]);
  }

  peer(index: number): PeerId {
    return this.#peers[index]!;
  }

  /** Chooses another peer for a shard that its peer did not take. PLACEMENT_REFUSED when there is none. */
  move(index: number, exclude: ReadonlySet<PeerId>): PeerId {
    const { storage, salt, onEvent } = this.#context;
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
    for (const { rule, reason } of relaxations) {
      onEvent?.({ type: 'placement-relaxed', partition: this.#partition, rule, reason });
    }
    this.#peers[index] = peer;
    this.#history.push({ index, peer });
    this.#check();
    storage.reserve(peer, this.#rules.shardBytes);
    return peer;
  }

  /** How often now this shard has found no other peer. */
  noteNoAlternative(index: number): number {
    const round = (this.#rounds.get(index) ?? 0) + 1;
    this.#rounds.set(index, round);
    return round;
  }

  /** Nothing is sent before code that shares nothing with the choice agrees to it. */
  #check(): void {
    const violations = verifyPlacement({
      partition: this.#partition,
      placed: this.#history,
      facts: this.#context.storage.facts(),
      rules: this.#rules,
    });
    if (violations.length === 0) return;
    throw new HoldfastError(
      'PLACEMENT_REFUSED',
      `The placement of partition ${this.#partition} breaks a rule.`,
      {
        hint: 'This is a bug in the assignment; the verifier stopped it before anything was sent.',
        details: { partition: this.#partition, violations },
      },
    );
  }
}

/** Peers that just failed are left out, unless without them a hard rule could not be met. */
function withRestingIfNeeded<T>(plan: (resting: boolean) => T): T {
  try {
    return plan(false);
  } catch (error) {
    if (!HoldfastError.is(error, 'PLACEMENT_REFUSED')) throw error;
    return plan(true);
  }
}

function rulesFor(policy: Policy, shape: { k: number; m: number; sizeClass: number }): PlacementRules {
  return {
    ...defaultRules(shape.k, shape.m),
    maxPerOperator: policy.maxPerOperator,
    shardBytes: shape.sizeClass,
  };
}
