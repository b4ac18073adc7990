import { HoldfastError, type PartitionId, type PeerId } from '@holdfast/contracts';
import { reassignShard } from '../assign/reassign-shard.ts';
import type { Candidate } from '../candidate.ts';
import type { Holding } from '../holding.ts';
import type { PlacementRules, Relaxation } from '../placement-rules.ts';
import { type PartitionState, rulesFor, type UpkeepState } from './state.ts';

/** A shard for which there is no other peer. It stays where it is. */
export interface Refused {
  readonly partition: PartitionId;
  readonly index: number;
  /** The hard rule that stands in the way. */
  readonly rule: string;
  readonly reason: string;
  readonly hint?: string;
}

export interface Chosen {
  readonly to: PeerId;
  readonly relaxations: readonly Relaxation[];
}

export type Choice = { readonly chosen: Chosen } | { readonly refused: Refused };

interface Entry {
  readonly partition: PartitionState;
  readonly holders: (PeerId | null)[];
  readonly past: Holding[];
}

/**
 * The swarm as it will be once what is planned so far is done, as far as that matters to the choices still to be made.
 * Whoever gives a shard away goes on counting as one that had it, and the room it leaves is not given out again: then what
 * is planned is safe in whatever order it happens, and however much of it.
 */
export class Ledger {
  readonly #state: UpkeepState;
  readonly #salt: Uint8Array;
  readonly #peers: Candidate[];
  readonly #rowOf = new Map<PeerId, number>();
  readonly #notTaking: readonly PeerId[];
  readonly #entries = new Map<PartitionId, Entry>();
  readonly #groups = new Map<string, Entry[]>();

  constructor(state: UpkeepState, salt: Uint8Array) {
    this.#state = state;
    this.#salt = salt;
    this.#peers = [...state.peers];
    for (const [row, { id }] of this.#peers.entries()) this.#rowOf.set(id, row);
    const takers = new Set(state.candidates);
    this.#notTaking = state.peers.map(({ id }) => id).filter((id) => !takers.has(id));
    for (const partition of state.partitions) {
      const entry = { partition, holders: [...partition.holders], past: [...partition.past] };
      this.#entries.set(partition.id, entry);
      const group = partition.siblingGroup;
      if (group !== undefined) this.#groups.set(group, [...(this.#groups.get(group) ?? []), entry]);
    }
  }

  /** With the room that is left once everything planned has arrived and nothing was deleted. */
  facts(peer: PeerId): Candidate | undefined {
    const row = this.#rowOf.get(peer);
    return row === undefined ? undefined : this.#peers[row];
  }

  holders(partition: PartitionId): readonly (PeerId | null)[] {
    return this.#entries.get(partition)!.holders;
  }

  past(partition: PartitionId): readonly Holding[] {
    return this.#entries.get(partition)!.past;
  }

  rules(partition: PartitionState): PlacementRules {
    return rulesFor(partition, this.#state.settings);
  }

  /** Chooses another peer for the shard and enters the move. A refusal comes back as data, and nothing changes. */
  replace(partition: PartitionState, index: number, exclude: Iterable<PeerId>): Choice {
    const choice = this.choose(partition, index, exclude);
    if ('chosen' in choice) this.enter(partition, index, choice.chosen.to);
    return choice;
  }

  /** @param exclude not to be chosen, besides those that are no candidates */
  choose(partition: PartitionState, index: number, exclude: Iterable<PeerId>): Choice {
    const entry = this.#entries.get(partition.id)!;
    try {
      const { peer, relaxations } = reassignShard({
        partition: partition.id,
        index,
        current: entry.holders,
        pastHolders: entry.past,
        siblings: this.#siblingsOf(entry),
        now: this.#state.now,
        candidates: this.#peers,
        rules: this.rules(partition),
        salt: this.#salt,
        exclude: new Set([...this.#notTaking, ...exclude]),
      });
      return { chosen: { to: peer, relaxations } };
    } catch (error) {
      if (!HoldfastError.is(error, 'PLACEMENT_REFUSED')) throw error;
      return { refused: refusedBecause(partition.id, index, error) };
    }
  }

  enter(partition: PartitionState, index: number, to: PeerId): void {
    const { holders, past } = this.#entries.get(partition.id)!;
    const from = holders[index] ?? null;
    if (from !== null) past.push({ index, peer: from });
    holders[index] = to;
    const row = this.#rowOf.get(to)!;
    const taker = this.#peers[row]!;
    this.#peers[row] = { ...taker, freeBytes: taker.freeBytes - partition.shardBytes };
  }

  #siblingsOf({ partition }: Entry): Holding[] {
    const { siblingGroup, siblings = [] } = partition;
    if (!this.#state.settings.separateSiblings || siblingGroup === undefined) return [...siblings];
    const others = this.#groups.get(siblingGroup)!.filter((entry) => entry.partition !== partition);
    const held = others.flatMap(({ holders, past }) => [
      ...holders.flatMap((peer, index) => (peer === null ? [] : [{ index, peer }])),
      ...past,
    ]);
    return [...siblings, ...held];
  }
}

const refusedBecause = (partition: PartitionId, index: number, error: HoldfastError): Refused => ({
  partition,
  index,
  rule: String(error.details.rule),
  reason: error.message,
  ...(error.hint === undefined ? {} : { hint: error.hint }),
});
