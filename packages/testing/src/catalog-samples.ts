import {
  type ChunkId,
  type Hash,
  KiB,
  type PartitionId,
  type PartitionJournal,
  type PeerId,
  type PeerRecord,
  type PeerView,
  type PlacementNote,
  peerIdFromKey,
  type SnapshotId,
  type SnapshotRecord,
  type Stripe,
} from '@holdfast/contracts';

/** Small, valid and predictable records: equal numbers give equal records. */

const hex32 = (kind: number, n: number): string =>
  kind.toString(16).padStart(8, '0') + n.toString(16).padStart(56, '0');
const uuid = (kind: number, n: number): string =>
  `${kind.toString(16).padStart(8, '0')}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;

export const sampleChunkId = (n: number): ChunkId => hex32(1, n) as ChunkId;
export const samplePartitionId = (n: number): PartitionId => uuid(2, n) as PartitionId;
export const sampleSnapshotId = (n: number): SnapshotId => uuid(3, n) as SnapshotId;
export const samplePeerId = (n: number): PeerId => peerIdFromKey(Buffer.from(hex32(4, n), 'hex'));

/** Shard i lies on peer i unless `peers` says otherwise. */
export function sampleStripe(n: number, facts: Partial<Stripe> & { peers?: readonly PeerId[] } = {}): Stripe {
  const { peers, ...rest } = facts;
  const { k = 2, m = 1 } = rest;
  return {
    id: samplePartitionId(n),
    number: n,
    kind: 'size',
    epoch: 1,
    k,
    m,
    helpers: 0,
    sizeClass: 64 * KiB,
    size: 1000 + (n % 1000),
    rawSize: 3000 + n,
    checksum: hex32(5, n) as Hash,
    dependencies: [{ kind: 'follows', partition: samplePartitionId(n + 1000) }],
    shards: Array.from({ length: k + m }, (_, i) => ({
      hash: hex32(6, n * 256 + i) as Hash,
      peer: peers?.[i] ?? samplePeerId(i),
    })),
    ...rest,
  };
}

/** Two frames of two chunks each: chunks 4n … 4n + 3, of 100, 200, 300 and 400 bytes. */
export function sampleJournal(n: number, facts: Parameters<typeof sampleStripe>[1] = {}): PartitionJournal {
  const chunk = (i: number) => ({ id: sampleChunkId(4 * n + i), length: 100 * (i + 1) });
  return {
    stripe: sampleStripe(n, facts),
    source: 'mail',
    frames: [
      { chunks: [chunk(0), chunk(1)], codec: 0 },
      { chunks: [chunk(2), chunk(3)], codec: 1 },
    ],
    packageKey: new Uint8Array(32).fill(0xa0 + (n % 16)),
    acknowledged: [],
  };
}

export function sampleSnapshot(n: number, facts: Partial<SnapshotRecord> = {}): SnapshotRecord {
  return {
    id: sampleSnapshotId(n),
    sequence: n,
    source: 'mail',
    sourceKind: 'sqlite',
    startedAt: 1_700_000_000_000 + n,
    finishedAt: 1_700_000_001_000 + n,
    complete: n % 2 === 0,
    tags: ['daily', 'näïve "quoted"'],
    totals: { objects: n, bytes: 2 ** 40 + n, newBytes: 10, storedBytes: 20, partitions: 1 },
    manifest: sampleStripe(500_000 + n),
    ...facts,
  };
}

export const samplePeer = (n: number, facts: Partial<PeerRecord> = {}): PeerRecord => ({
  id: samplePeerId(n),
  name: `peer-${n}`,
  operator: `operator-${n % 3}`,
  region: 'eu/de/berlin',
  host: '127.0.0.1',
  port: 4000 + n,
  state: 'active',
  ...facts,
});

/** Peers 0 … n − 1 as an assigner might see them; those with odd numbers are measured. */
export const sampleView = (n: number, facts: Partial<PeerView> = {}): PeerView[] =>
  Array.from({ length: n }, (_, i) => ({
    id: samplePeerId(i),
    operator: `operator-${i % 3}`,
    region: 'eu/de/berlin',
    failureDomains: i === 0 ? ['net-1', 'building-2'] : [],
    member: i !== 2,
    ...(i === 2 ? {} : { freeBytes: 2 ** 40 + i, capacityBytes: 2 ** 41 }),
    ...(i % 2 === 1
      ? { latencyMs: 12.345, packetLoss: 0.000_001, reputation: 0.7, stability: 1, uptime: 0.987_654 }
      : {}),
    ...facts,
  }));

/** A placement under `view`; `relaxed` are the rules that it does not keep. */
export const sampleNote = (view: number, relaxed: readonly string[] = []): PlacementNote => ({
  view,
  policy: {
    version: 7,
    mode: 'deterministic',
    settings: { maxPerRegion: 3, maxPacketLoss: 0.05, separateSiblings: false, off: ['latency'] },
  },
  relaxations: relaxed.map((rule) => ({ rule, reason: `too little of ${rule}` })),
});
