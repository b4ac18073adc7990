/** What the peers answered about one stripe's shards, by index. */
export interface ShardSurvey {
  readonly present: Set<number>;
  /** The peer answered, and does not have it or has other bytes. */
  readonly missing: Set<number>;
  /** Of those present, milliseconds since the epoch. */
  readonly leases: Map<number, number>;
}

export const newSurvey = (): ShardSurvey => ({ present: new Set(), missing: new Set(), leases: new Map() });
