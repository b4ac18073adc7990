import type { PlacementRules } from '../placement-rules.ts';
import type { Requirement } from './assessment.ts';
import type { SpreadInForce } from './code-rules.ts';
import type { CodeShape } from './code-shape.ts';
import type { AvailabilityFigures } from './figures.ts';
import type { SlaLevel } from './level.ts';
import type { Replication } from './replication.ts';
import type { SlaScheme } from './settings.ts';
import type { Suggestion } from './suggest.ts';

/** Something the level asks for and the code does not keep. */
export interface Shortfall {
  readonly requirement: Requirement;
  /** What is wanted and what there is, for people. */
  readonly text: string;
}

/** What happens when all of a region, or of an operator, is down. */
export interface GroupLoss {
  readonly name: string;
  /** Usable peers in it. */
  readonly peers: number;
  /** Most shards of a partition, copies counted, that are down with it. */
  readonly shardsLost: number;
  /** At least k shards are left in any case. */
  readonly survives: boolean;
  /** For as long as it lasts, in the worst placement. */
  readonly during: AvailabilityFigures;
}

/** What the plan rests on. */
export interface SlaPeers {
  readonly usable: number;
  /** Candidates without room for a shard, or below the reputation floor. */
  readonly unusable: number;
  /** Usable ones whose uptime is assumed. */
  readonly assumed: number;
  readonly assumedUptime: number;
  readonly operators: number;
  readonly regions: number;
  readonly continents: number;
  readonly meanUptime: number;
  /** So many must be spared for new partitions to be placeable 99 % of the time. */
  readonly sparesWanted: number;
}

export interface SlaPlan {
  readonly level: SlaLevel;
  readonly scheme: SlaScheme;
  /** The code keeps all that the level asks for, wherever the rules let its shards lie. */
  readonly met: boolean;
  /** Empty when it is met. */
  readonly shortfalls: readonly Shortfall[];
  readonly code: CodeShape;
  /** To place it under: operator, region and continent limits that the promise rests on. */
  readonly rules: PlacementRules;
  readonly spread: SpreadInForce & { readonly regions: number };
  /** Of the worst placement: what is promised. */
  readonly reached: AvailabilityFigures;
  /** Over all sets of peers alike, when each fails by itself: what is to be expected while no region is down. */
  readonly average: AvailabilityFigures;
  /** One for each region, and the one operator whose loss is worst. */
  readonly regionLoss: readonly GroupLoss[];
  readonly operatorLoss: GroupLoss;
  /** Share of the time in which enough of the usable peers are up for a new partition, or a lost shard, to be placed. */
  readonly placeable: AvailabilityFigures;
  readonly regionOutage: number;
  readonly replication: Replication & {
    /** R of the code. */
    readonly reached: number;
    /** The peers cannot hold what was wanted. */
    readonly clamped: boolean;
  };
  readonly peers: SlaPeers;
  readonly cost: {
    /** Bytes stored for a byte of data. */
    readonly storage: number;
    /** Bytes read from other peers for a lost one, without a code that reads less. */
    readonly readPerLostByte: number;
    /** Bytes read per day for a byte of data at the churn given. */
    readonly repairPerDay: number;
  };
  /** From what was asked for to what was chosen, step by step, in words and numbers. */
  readonly explanation: readonly string[];
  /** What would meet the level; each was tried. Empty when it is met, or when nothing within bounds does. */
  readonly suggestions: readonly Suggestion[];
  /** The highest level of the table that is met now; null when none is, or when the level asked for is met. */
  readonly metInstead: string | null;
}
