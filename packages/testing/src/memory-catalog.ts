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
import {
  type Entry,
  limitBatch,
  notFound,
  refuseOtherContent,
  refuseSecondShard,
  secondShard,
} from './memory-catalog-refusals.ts';
import { MemoryPlacements } from './memory-placements.ts';
import { MemoryProbes } from './memory-probes.ts';

interface Holding {
  readonly index: number;
  readonly peer: PeerId;
  readonly since: number;
}

/**
 * The catalog's semantics without a disk: for tests of what stands on it, and as the model that a durable catalog is
 * compared with. Everything is copied on the way in and out, as a database would.
 */
export class MemoryCatalog implements Catalog {
  readonly #now: () => number;
  readonly #partitions = new Map<PartitionId, Entry>();
  readonly #numbers = new Map<number, PartitionId>();
  readonly #holders = new Map<PartitionId, Holding[]>();
  readonly #chunks = new Map<ChunkId, ChunkLocation>();
  readonly #snapshots = new Map<SnapshotId, SnapshotRecord>();
  readonly #peers = new Map<PeerId, PeerRecord>();
  readonly #events = new Map<PeerId, Partial<Record<PeerEvent, number>>>();
  readonly #placements = new MemoryPlacements();
  readonly #probes = new MemoryProbes();
  #nextNumber = 1;
  #head: { sequence: number; bytes: Uint8Array } | null = null;

  constructor(options: { clock?: { now(): number } } = {}) {
    this.#now = () => (options.clock ?? Date).now();
  }

  async findChunks(ids: readonly ChunkId[]): Promise<(ChunkLocation | null)[]> {
    limitBatch('ids', ids.length);
    return ids.map((id) => {
      const found = this.#chunks.get(id);
      return found ? { ...found } : null;
    });
  }

  async reservePartitionNumbers(count: number): Promise<number> {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new HoldfastError('USAGE', `Cannot reserve ${count} partition numbers.`);
    }
    const first = this.#nextNumber;
    this.#nextNumber += count;
    return first;
  }

  async journalPartition(input: PartitionJournal, placement?: PlacementNote): Promise<void> {
    const { stripe } = input;
    const known = this.#partitions.get(stripe.id);
    if (known) return refuseOtherContent(stripe, known);
    if (this.#numbers.has(stripe.number)) {
      throw new HoldfastError('ALREADY_EXISTS', `Partition number ${stripe.number} is taken.`);
    }
    const journal = structuredClone(input);
    stripe.shards.forEach((shard, index) => {
      refuseSecondShard(stripe.id, stripe.shards, index, shard.peer);
    });
    this.#placements.refuseUnknownView(placement);
    const since = this.#now();
    if (placement) this.#placements.place(stripe.id, placement, since);
    this.#holders.set(
      stripe.id,
      stripe.shards.map((shard, index) => ({ index, peer: shard.peer, since })),
    );
    this.#numbers.set(stripe.number, stripe.id);
    this.#nextNumber = Math.max(this.#nextNumber, stripe.number + 1);
    this.#partitions.set(stripe.id, {
      state: 'journalled',
      journal,
      acknowledged: new Set(input.acknowledged),
    });
  }

  async acknowledgeShards(acks: readonly { partition: PartitionId; index: number }[]): Promise<void> {
    for (const { partition, index } of acks) {
      const entry = this.#partitions.get(partition);
      if (entry?.state === 'journalled' && entry.journal.stripe.shards[index]) entry.acknowledged.add(index);
    }
  }

  async moveJournalledShard(
    partition: PartitionId,
    index: number,
    peer: PeerId,
    note?: MoveNote,
  ): Promise<void> {
    const entry = this.#partitions.get(partition);
    if (!entry || entry.state === 'abandoned') throw notFound(partition);
    const stripe = entry.state === 'complete' ? entry.stripe : entry.journal.stripe;
    const shard = stripe.shards[index];
    if (!shard) throw new HoldfastError('USAGE', `Partition ${partition} has no shard ${index}.`);
    if (shard.peer === peer) return;
    if (entry.state === 'complete' || entry.acknowledged.has(index)) {
      throw new HoldfastError(
        'USAGE',
        `Shard ${index} of partition ${partition} is acknowledged and cannot be moved.`,
      );
    }
    const history = this.#holders.get(partition)!;
    const held = history.find((holding) => holding.peer === peer);
    if (held && held.index !== index) throw secondShard(partition, peer, held.index, index);
    this.#placements.refuseUnknownView(note);
    if (!held) history.push({ index, peer, since: this.#now() });
    if (note) this.#placements.move(partition, index, note, this.#now());
    const shards = stripe.shards.map((old, i) => (i === index ? { ...old, peer } : old));
    const journal = { ...entry.journal, stripe: { ...stripe, shards } };
    this.#partitions.set(partition, { ...entry, journal });
  }

  async completePartition(id: PartitionId): Promise<Stripe> {
    const entry = this.#partitions.get(id);
    if (!entry || entry.state === 'abandoned') throw notFound(id);
    if (entry.state === 'complete') return structuredClone(entry.stripe);
    const { stripe, frames } = entry.journal;
    frames.forEach((frame, index) => {
      let offset = 0;
      for (const { id: chunk, length } of frame.chunks) {
        this.#chunks.set(chunk, { partition: stripe.number, frame: index, offset, length });
        offset += length;
      }
    });
    this.#partitions.set(id, { state: 'complete', stripe });
    return structuredClone(stripe);
  }

  async abandonPartition(id: PartitionId): Promise<void> {
    const entry = this.#partitions.get(id);
    if (entry?.state !== 'journalled') return;
    this.#partitions.set(id, { state: 'abandoned', number: entry.journal.stripe.number });
    this.#placements.drop(id);
  }

  async journalledPartitions(): Promise<PartitionJournal[]> {
    const journals: PartitionJournal[] = [];
    for (const entry of this.#partitions.values()) {
      if (entry.state !== 'journalled') continue;
      const acknowledged = [...entry.acknowledged].sort((a, b) => a - b);
      journals.push(structuredClone({ ...entry.journal, acknowledged }));
    }
    return journals.sort((a, b) => a.stripe.number - b.stripe.number);
  }

  async stripes(numbers: readonly number[]): Promise<(Stripe | null)[]> {
    limitBatch('numbers', numbers.length);
    return numbers.map((number) => {
      const id = this.#numbers.get(number);
      const entry = id === undefined ? undefined : this.#partitions.get(id);
      return entry?.state === 'complete' ? structuredClone(entry.stripe) : null;
    });
  }

  async holders(id: PartitionId): Promise<{ index: number; peer: PeerId; since: number }[]> {
    return structuredClone(this.#holders.get(id) ?? []);
  }

  async recordSwarmView(view: SwarmView): Promise<number> {
    return this.#placements.recordView(view);
  }

  async swarmView(view: number): Promise<SwarmView | null> {
    return this.#placements.view(view);
  }

  async placements(numbers: readonly number[]): Promise<(StoredPlacement | null)[]> {
    limitBatch('numbers', numbers.length);
    return numbers.map((number) => {
      const id = this.#numbers.get(number);
      const entry = id === undefined ? undefined : this.#partitions.get(id);
      if (!entry || entry.state === 'abandoned') return null;
      const stripe = structuredClone(entry.state === 'complete' ? entry.stripe : entry.journal.stripe);
      const holdings = this.#holders.get(stripe.id)!.map((holding) => {
        return { ...holding, past: stripe.shards[holding.index]!.peer !== holding.peer };
      });
      const record = this.#placements.record(stripe.id);
      return { stripe, complete: entry.state === 'complete', holdings, record };
    });
  }

  async newestPlacement(): Promise<PlacementRecord | null> {
    const numbers = [...this.#numbers].sort(([a], [b]) => b - a);
    const newest = numbers.find(([, id]) => this.#placements.record(id) !== null);
    return newest ? this.#placements.record(newest[1]) : null;
  }

  async partitionNumber(id: PartitionId): Promise<number | null> {
    return [...this.#numbers].find(([, known]) => known === id)?.[0] ?? null;
  }

  async placementTotals(): Promise<PlacementTotals> {
    const entries = [...this.#partitions.values()];
    return this.#placements.totals(entries.filter(({ state }) => state !== 'abandoned').length);
  }

  async commitSnapshot(snapshot: SnapshotRecord): Promise<void> {
    if (this.#snapshots.has(snapshot.id)) return;
    const last = Math.max(-1, ...[...this.#snapshots.values()].map((other) => other.sequence));
    if (this.#snapshots.size > 0 && snapshot.sequence !== last + 1) {
      throw new HoldfastError(
        snapshot.sequence <= last ? 'ALREADY_EXISTS' : 'USAGE',
        `Snapshot ${snapshot.id} has sequence ${snapshot.sequence}, but the next one is ${last + 1}.`,
      );
    }
    this.#snapshots.set(snapshot.id, structuredClone(snapshot));
  }

  async snapshot(id: SnapshotId): Promise<SnapshotRecord | null> {
    return structuredClone(this.#snapshots.get(id) ?? null);
  }

  async snapshots(filter: { source?: string } = {}): Promise<SnapshotRecord[]> {
    return [...this.#snapshots.values()]
      .filter((snapshot) => filter.source === undefined || snapshot.source === filter.source)
      .sort((a, b) => a.sequence - b.sequence)
      .map((snapshot) => structuredClone(snapshot));
  }

  async recordHead(sequence: number, bytes: Uint8Array): Promise<void> {
    if (this.#head && sequence < this.#head.sequence) return;
    this.#head = { sequence, bytes: Uint8Array.from(bytes) };
  }

  async head(): Promise<{ sequence: number; bytes: Uint8Array } | null> {
    return structuredClone(this.#head);
  }

  async putPeer(peer: PeerRecord): Promise<void> {
    this.#peers.set(peer.id, { ...peer });
  }

  async peers(): Promise<PeerRecord[]> {
    return [...this.#peers.values()].sort((a, b) => (a.id < b.id ? -1 : 1)).map((peer) => ({ ...peer }));
  }

  async countPeerEvent(peer: PeerId, event: PeerEvent, count = 1): Promise<void> {
    const counts = this.#events.get(peer) ?? {};
    this.#events.set(peer, { ...counts, [event]: (counts[event] ?? 0) + count });
  }

  async peerEvents(): Promise<ReadonlyMap<PeerId, Readonly<Partial<Record<PeerEvent, number>>>>> {
    return structuredClone(this.#events);
  }

  async recordProbes(probes: readonly PeerProbe[]): Promise<void> {
    this.#probes.record(probes, this.#now());
  }

  async peerProbes(since: number): Promise<ProbeWindow[]> {
    return this.#probes.windows(since);
  }

  async totals(): Promise<CatalogTotals> {
    const shardsByPeer = new Map<PeerId, number>();
    let [partitions, shards, storedBytes, rawBytes] = [0, 0, 0, 0];
    for (const entry of this.#partitions.values()) {
      if (entry.state !== 'complete') continue;
      partitions += 1;
      shards += entry.stripe.shards.length;
      storedBytes += entry.stripe.shards.length * entry.stripe.sizeClass;
      rawBytes += entry.stripe.rawSize;
      for (const { peer } of entry.stripe.shards) shardsByPeer.set(peer, (shardsByPeer.get(peer) ?? 0) + 1);
    }
    const { size: snapshots } = this.#snapshots;
    return { snapshots, partitions, chunks: this.#chunks.size, shards, storedBytes, rawBytes, shardsByPeer };
  }

  async close(): Promise<void> {}
}
