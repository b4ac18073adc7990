import type { Generated, Kysely, Transaction } from 'kysely';

/** `Hold` in ASCII: marks the file as a Holdfast catalog. */
export const APPLICATION_ID = 0x486f6c64;
/** Counts the migrations; a file with a higher one was written by a newer program. */
export const SCHEMA_VERSION = 2;

/** Milliseconds to wait for another process's transaction. */
export const BUSY_TIMEOUT = 5_000;

export type Database = Kysely<Schema>;
export type Query = Kysely<Schema> | Transaction<Schema>;

export const PARTITION_STATE = { journalled: 0, complete: 1, abandoned: 2 } as const;

/** Peers and partitions are named by small numbers inside the database, by their ids outside. */
export interface Schema {
  /** Every peer ever mentioned. `key`: 32 bytes, its Ed25519 key. */
  peer: { ref: Generated<number>; key: Uint8Array };
  peer_record: {
    peer: number;
    name: string;
    operator: string;
    region: string;
    host: string;
    port: number;
    state: string;
  };
  peer_event: { peer: number; event: string; count: number };
  /** Shards of complete partitions that the peer holds now. */
  peer_load: { peer: number; shards: number };
  /** `stripe`: canonical CBOR, with the present holders. */
  partition: { number: number; id: Uint8Array; state: number; stripe: Uint8Array };
  /** One row for each journalled partition. `acknowledged`: a byte for each shard, 1 when it is. */
  journal: { partition: number; source: string; package_key: Uint8Array; acknowledged: Uint8Array };
  /**
   * The frames of partitions that are journalled (`completed` null), or complete with their chunks still to be indexed
   * (`completed` counts up, in the order of completion).
   */
  frames: { partition: number; frames: Uint8Array; completed: number | null };
  /** Who holds, may hold or has held what. The primary key (partition, peer) is promise 1: one shard of a partition a peer. */
  holding: {
    partition: number;
    peer: number;
    shard: number;
    since: number;
    /** Order of events within the partition. */
    position: number;
    /** 1: the present holder. */
    current: number;
  };
  /** Chunks of complete partitions, but for those still in `frames`. */
  chunk: { id: Uint8Array; partition: number; frame: number; offset: number; length: number };
  /** Facts of all peers as the assigner saw them. `digest`: SHA-256 of `facts`, canonical CBOR. */
  swarm_view: { ref: Generated<number>; digest: Uint8Array; facts: Uint8Array };
  /** `text`: JSON with sorted keys. */
  placement_policy: { ref: Generated<number>; text: string };
  /** `text`: JSON, a list of pairs of rule and reason; never empty. */
  relaxation_list: { ref: Generated<number>; text: string };
  /** One row for each placement that was recorded. `relaxations` null: all rules are kept. */
  placement: {
    partition: number;
    policy: number;
    placed_at: number;
    view: number;
    relaxations: number | null;
  };
  /** Shards whose present holder was chosen later than the rest. */
  placement_move: { partition: number; shard: number; view: number };
  /** `placements`: journalled and complete ones that do not keep the rule. */
  relaxed_rule: { rule: string; placements: number; at: number; partition: number; reason: string };
  /** `since` 0: all hours that are too old to be kept one by one. */
  peer_probe: {
    since: number;
    peer: number;
    asked: number;
    answered: number;
    trip_sum_us: number;
    trip_min_us: number;
  };
  snapshot: {
    sequence: number;
    id: Uint8Array;
    source: string;
    source_kind: string;
    started_at: number;
    finished_at: number;
    complete: number;
    tags: string;
    objects: number;
    bytes: number;
    new_bytes: number;
    stored_bytes: number;
    partitions: number;
    manifest: Uint8Array;
  };
  head: { only: number; sequence: number; bytes: Uint8Array };
  counter: { name: CounterName; value: number };
}

export const COUNTERS = [
  'next_partition',
  'partitions',
  'chunks',
  'shards',
  'stored_bytes',
  'raw_bytes',
  'placements_recorded',
  'placements_relaxed',
] as const;
export type CounterName = (typeof COUNTERS)[number];
