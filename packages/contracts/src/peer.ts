import type { PeerId } from './ids.ts';

/** Continent/country/site, such as `eu/de/berlin`; soft rules look at the first and second component. */
export type Region = string;

/** What the owner knows of a peer from its certificate and its admission; never from its own word alone. */
export interface PeerRecord {
  readonly id: PeerId;
  readonly name: string;
  readonly operator: string;
  readonly region: Region;
  readonly host: string;
  readonly port: number;
  /** `left` peers get no new shards and are not asked for old ones. */
  readonly state: 'active' | 'left';
}

/** What a peer says of itself in STATUS. */
export interface PeerStatus {
  readonly id: PeerId;
  readonly version: string;
  /** Bytes that it lends in all, and to this owner; what is used of each. */
  readonly capacityBytes: number;
  readonly usedBytes: number;
  readonly ownerQuotaBytes: number;
  readonly ownerUsedBytes: number;
  readonly ownerShards: number;
  readonly startedAt: number;
}
