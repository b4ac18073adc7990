/** k primary and m parity shards of a partition, each on `copies` peers. */
export interface CodeShape {
  readonly k: number;
  readonly m: number;
  readonly copies: number;
}

export const peersOf = ({ k, m, copies }: CodeShape): number => (k + m) * copies;

/** Bytes stored for a byte of data. */
export const storageOf = ({ k, m, copies }: CodeShape): number => ((k + m) / k) * copies;

/** R: losing any R − 1 peers leaves k shards, losing some R does not. */
export const replicationOf = ({ m, copies }: CodeShape): number => (m + 1) * copies;

/** Most shards that are gone when any `peers` peers are: all copies of a shard, then all of the next. */
export const shardsLostWith = (peers: number, { copies }: CodeShape): number => Math.floor(peers / copies);
