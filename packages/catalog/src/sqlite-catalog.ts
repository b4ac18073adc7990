import type { DatabaseSync } from 'node:sqlite';
import {
  type Catalog,
  type CatalogTotals,
  type ChunkId,
  type ChunkLocation,
  HoldfastError,
  type MoveNote,
  type PartitionId,
  type PartitionJournal,
  type PeerEvent,
  type PeerId,
  type PeerProbe,
  type PeerRecord,
  type PlacementNote,
  type PlacementRecord,
  type PlacementTotals,
  type ProbeWindow,
  type SnapshotId,
  type SnapshotRecord,
  type StoredPlacement,
  type Stripe,
  type SwarmView,
} from '@holdfast/contracts';
import { sql } from 'kysely';
import { BUSY_TIMEOUT, type Database, type Query } from './schema.ts';
import { translate } from './sqlite-errors.ts';
import { ChunkIndex } from './tables/chunk-index.ts';
import { readTotals, takePartitionNumbers } from './tables/counters.ts';
import { abandon, acknowledge, complete, insertJournal, listJournals, moveShard } from './tables/journal.ts';
import { readHolders, readStripes } from './tables/partitions.ts';
import { countPeerEvent, listPeerEvents, listPeers, PeerRefs, putPeer } from './tables/peers.ts';
import {
  findNumber,
  insertView,
  readNewestPlacement,
  readPlacements,
  readPlacementTotals,
  readView,
} from './tables/placements.ts';
import { addProbes, listProbes } from './tables/probes.ts';
import { findSnapshot, insertSnapshot, listSnapshots, putHead, readHead } from './tables/snapshots.ts';

const MAX_BATCH = 10_000;

/** The catalog port: one transaction per method. What the methods do is in `tables/`. */
export class SqliteCatalog implements Catalog {
  readonly #db: Database;
  readonly #file: DatabaseSync;
  readonly #path: string;
  readonly #now: () => number;
  readonly #chunks = new ChunkIndex();
  readonly #refs = new PeerRefs();
  #last: Promise<void> = Promise.resolve();

  /** @param file the connection below `db` */
  constructor(db: Database, file: DatabaseSync, path: string, now: () => number) {
    this.#db = db;
    this.#file = file;
    this.#path = path;
    this.#now = now;
  }

  async findChunks(ids: readonly ChunkId[]): Promise<(ChunkLocation | null)[]> {
    limitBatch('ids', ids.length);
    return this.#read((query) => this.#chunks.find(query, ids));
  }

  async reservePartitionNumbers(count: number): Promise<number> {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new HoldfastError('USAGE', `Cannot reserve ${count} partition numbers.`);
    }
    return this.#write((query) => takePartitionNumbers(query, count));
  }

  async journalPartition(journal: PartitionJournal, placement?: PlacementNote): Promise<void> {
    await this.#write((query) => insertJournal(query, this.#refs, journal, placement, this.#now()));
  }

  async acknowledgeShards(acks: readonly { partition: PartitionId; index: number }[]): Promise<void> {
    if (acks.length > 0) await this.#write((query) => acknowledge(query, acks));
  }

  async moveJournalledShard(
    partition: PartitionId,
    index: number,
    peer: PeerId,
    note?: MoveNote,
  ): Promise<void> {
    const move = { id: partition, index, peer, since: this.#now(), note };
    await this.#write((query) => moveShard(query, this.#refs, move));
  }

  async completePartition(id: PartitionId): Promise<Stripe> {
    return this.#write((query) => complete(query, this.#refs, this.#chunks, id));
  }

  async abandonPartition(id: PartitionId): Promise<void> {
    await this.#write((query) => abandon(query, id));
  }

  async journalledPartitions(): Promise<PartitionJournal[]> {
    return this.#read(listJournals);
  }

  async stripes(numbers: readonly number[]): Promise<(Stripe | null)[]> {
    limitBatch('numbers', numbers.length);
    return this.#read((query) => readStripes(query, numbers));
  }

  async holders(id: PartitionId): Promise<{ index: number; peer: PeerId; since: number }[]> {
    return this.#read((query) => readHolders(query, id));
  }

  async recordSwarmView(view: SwarmView): Promise<number> {
    return this.#write((query) => insertView(query, view));
  }

  async swarmView(view: number): Promise<SwarmView | null> {
    return this.#read((query) => readView(query, view));
  }

  async placements(numbers: readonly number[]): Promise<(StoredPlacement | null)[]> {
    limitBatch('numbers', numbers.length);
    return this.#read((query) => readPlacements(query, numbers));
  }

  async newestPlacement(): Promise<PlacementRecord | null> {
    return this.#read(readNewestPlacement);
  }

  async partitionNumber(id: PartitionId): Promise<number | null> {
    return this.#read((query) => findNumber(query, id));
  }

  async placementTotals(): Promise<PlacementTotals> {
    return this.#read(readPlacementTotals);
  }

  async commitSnapshot(snapshot: SnapshotRecord): Promise<void> {
    await this.#writeThrough(async (query) => {
      await insertSnapshot(query, snapshot);
      await this.#chunks.settle(query);
    });
  }

  async snapshot(id: SnapshotId): Promise<SnapshotRecord | null> {
    return this.#read((query) => findSnapshot(query, id));
  }

  async snapshots(filter: { source?: string } = {}): Promise<SnapshotRecord[]> {
    return this.#read((query) => listSnapshots(query, filter.source));
  }

  async recordHead(sequence: number, bytes: Uint8Array): Promise<void> {
    await this.#writeThrough((query) => putHead(query, sequence, bytes));
  }

  async head(): Promise<{ sequence: number; bytes: Uint8Array } | null> {
    return this.#read(readHead);
  }

  async putPeer(peer: PeerRecord): Promise<void> {
    await this.#write((query) => putPeer(query, this.#refs, peer));
  }

  async peers(): Promise<PeerRecord[]> {
    return this.#read(listPeers);
  }

  async countPeerEvent(peer: PeerId, event: PeerEvent, count = 1): Promise<void> {
    await this.#write((query) => countPeerEvent(query, this.#refs, { peer, event, count }));
  }

  async peerEvents(): Promise<ReadonlyMap<PeerId, Readonly<Partial<Record<PeerEvent, number>>>>> {
    return this.#read(listPeerEvents);
  }

  async recordProbes(probes: readonly PeerProbe[]): Promise<void> {
    await this.#write((query) => addProbes(query, this.#refs, probes, this.#now()));
  }

  async peerProbes(since: number): Promise<ProbeWindow[]> {
    return this.#read((query) => listProbes(query, since));
  }

  async totals(): Promise<CatalogTotals> {
    return this.#read((query) => readTotals(query, this.#chunks));
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#db.destroy();
    // Kysely leaves a database alone that it never queried.
    if (this.#file.isOpen) this.#file.close();
  }

  /** One moment's view, even where it takes several queries. */
  #read<T>(work: (query: Query) => Promise<T>): Promise<T> {
    return this.#inTurn(() => this.#db.transaction().setAccessMode('read only').execute(work));
  }

  #write<T>(work: (query: Query) => Promise<T>): Promise<T> {
    return this.#inTurn(() => this.#db.transaction().execute(work));
  }

  /**
   * A write that survives the loss of power, together with all before it: in WAL mode everything up to a commit lies in
   * one file, and that file is synced.
   */
  #writeThrough<T>(work: (query: Query) => Promise<T>): Promise<T> {
    return this.#inTurn(() =>
      this.#db.connection().execute(async (connection) => {
        await sql`pragma synchronous = full`.execute(connection);
        try {
          return await connection.transaction().execute(work);
        } finally {
          await sql`pragma synchronous = normal`.execute(connection);
          await emptyLog(connection);
        }
      }),
    );
  }

  /** One after the other, each with what it remembers of a failed transaction forgotten before the next begins. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    try {
      return await work();
    } catch (error) {
      this.#refs.forget();
      this.#chunks.forget();
      throw translate(error, this.#path);
    } finally {
      resolve();
    }
  }
}

function limitBatch(what: string, length: number): void {
  if (length > MAX_BATCH)
    throw new HoldfastError('USAGE', `${length} ${what} in one call; at most ${MAX_BATCH}.`);
}

/**
 * Package keys forgotten since the last time linger in the log until it is emptied. Readers can be in the way (it is not
 * worth waiting for them), and so can a full disk; what was committed is safe either way, and a later call tries again.
 */
async function emptyLog(connection: Query): Promise<void> {
  await sql`pragma busy_timeout = 0`.execute(connection);
  try {
    await sql`pragma wal_checkpoint(truncate)`.execute(connection);
  } catch {
    // As said above.
  } finally {
    await sql`pragma busy_timeout = ${sql.lit(BUSY_TIMEOUT)}`.execute(connection);
  }
}
