import type { PartitionId, PeerId } from './ids.ts';
import type { Stripe } from './partition.ts';
import type { Region } from './peer.ts';

/** A peer as the assigner saw it. What was not known is absent. */
export interface PeerView {
  readonly id: PeerId;
  readonly operator: string;
  readonly region: Region;
  readonly failureDomains: readonly string[];
  /** Belonged to the swarm. */
  readonly member: boolean;
  /** Bytes; free ones when the view was made. */
  readonly freeBytes?: number | undefined;
  readonly capacityBytes?: number | undefined;
  /** Milliseconds, to the microsecond. */
  readonly latencyMs?: number | undefined;
  /** Shares, 0 … 1, to the millionth. */
  readonly packetLoss?: number | undefined;
  readonly reputation?: number | undefined;
  readonly stability?: number | undefined;
  readonly uptime?: number | undefined;
}

/** Facts of all peers under which placements were made, by peer id. Shared by all partitions of a run or a part of one. */
export type SwarmView = readonly PeerView[];

/** A soft rule that a placement does not keep, and why. */
export interface RecordedRelaxation {
  readonly rule: string;
  readonly reason: string;
}

/** The rules under which a placement was made: as they were then, whatever the configuration says now. */
export interface RecordedPolicy {
  readonly version: number;
  /** How peers were chosen among those that the rules admit. */
  readonly mode: string;
  /** Figures and switches by name, without undefined ones. */
  readonly settings: Readonly<Record<string, SettingValue>>;
}

export type SettingValue = number | string | boolean | readonly string[];

/** What is recorded of a placement, with the journal. */
export interface PlacementNote {
  readonly policy: RecordedPolicy;
  /** From `recordSwarmView`. */
  readonly view: number;
  /** At most one for each rule, in the order in which rules are given up. Empty: all are kept. */
  readonly relaxations: readonly RecordedRelaxation[];
}

/** What is recorded of the move of one shard. */
export type MoveNote = Pick<PlacementNote, 'view' | 'relaxations'>;

export interface PlacementRecord extends PlacementNote {
  /** Wall clock, ms. */
  readonly placedAt: number;
  /** Shards whose present holder was chosen later, under another view. Ascending. */
  readonly moves: readonly { readonly index: number; readonly view: number }[];
}

/** All that there is to check a placement by. */
export interface StoredPlacement {
  readonly stripe: Stripe;
  readonly complete: boolean;
  /** In order of time; `past`: it holds the shard no longer, or may never have got it. */
  readonly holdings: readonly {
    readonly index: number;
    readonly peer: PeerId;
    readonly since: number;
    readonly past: boolean;
  }[];
  /** Null: placed by a version that kept no records. */
  readonly record: PlacementRecord | null;
}

/** Of placements that are journalled or complete. */
export interface PlacementTotals {
  readonly recorded: number;
  readonly unrecorded: number;
  /** Those with at least one relaxation. */
  readonly relaxed: number;
  /** By rule: how many placements do not keep it, and the newest of its relaxations. */
  readonly rules: ReadonlyMap<string, RelaxedRule>;
}

export interface RelaxedRule {
  readonly placements: number;
  readonly newest: { readonly at: number; readonly partition: PartitionId; readonly reason: string };
}
