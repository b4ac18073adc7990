import {
  type ChunkId,
  type Hash,
  type JournalFrame,
  KiB,
  type PartitionId,
  peerIdFromKey,
  type SnapshotId,
  type Stripe,
  type SwarmView,
} from '@holdfast/contracts';
import {
  CacheChecksum,
  encodeCacheBlocks,
  encodeCacheExtents,
  encodeCacheHeader,
  encodeCacheObject,
  encodeExtents,
  encodeHead,
  encodeJournalFrames,
  encodeManifest,
  encodeObject,
  encodeStripe,
  encodeSwarmView,
  finishPayload,
  type Head,
  type Manifest,
  type MetadataRecord,
  PAYLOAD_HEADER_BYTES,
  type PayloadFrame,
} from '../src/index.ts';
import {
  encodeRowsDescription,
  encodeRowsIndex,
  type RowsDescription,
  type RowsIndex,
} from '../src/rows/index.ts';

/** What the frozen files in test/compat say. Values and files are only ever added to, never changed. */

const repeat = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte);
const hex = (byte: number): string => Buffer.from(repeat(byte, 32)).toString('hex');
const chunk = (byte: number, length: number) => ({ id: hex(byte) as ChunkId, length });
export const owner = peerIdFromKey(repeat(0x0a, 32));

export const payloadFrames: readonly PayloadFrame[] = [
  { codec: 0, rawLength: 8, storedLength: 8, chunks: [chunk(0xc1, 5), chunk(0xc2, 3)] },
  { codec: 1, rawLength: 64, storedLength: 17, chunks: [chunk(0xc3, 64)] },
];
/** The second frame is what zstd makes of 64 times the letter a. */
export const payloadContent = Buffer.from('486f6c6466617374' + '28b52ffd20404500001061610100930016', 'hex');

export const stripe: Stripe = {
  id: '01234567-89ab-4cde-8f01-23456789abcd' as PartitionId,
  number: 1000,
  kind: 'size',
  epoch: 1,
  k: 2,
  m: 1,
  helpers: 0,
  sizeClass: (64 * KiB) as Stripe['sizeClass'],
  size: 179,
  rawSize: 72,
  checksum: hex(0xcc) as Hash,
  dependencies: [{ kind: 'follows', partition: 'fedcba98-7654-4321-8fed-cba987654321' as PartitionId }],
  shards: [1, 2, 3].map((i) => ({ hash: hex(0x10 + i) as Hash, peer: peerIdFromKey(repeat(0xa0 + i, 32)) })),
};

export const objects: readonly MetadataRecord[] = [
  {
    type: 'object',
    object: {
      path: Uint8Array.from(Buffer.from('docs')),
      kind: 'directory',
      attributes: { mode: 0o755, mtime: 1_756_598_400_000_000_000n, ratio: 0.5 },
      size: 0,
      cut: null,
    },
  },
  {
    type: 'object',
    object: {
      path: Uint8Array.from(Buffer.from('docs/a')),
      kind: 'file',
      attributes: {},
      size: 9000,
      cut: { by: 'content' },
    },
  },
  {
    type: 'extents',
    extents: [
      { kind: 'data', partition: 1000, frame: 0, offset: 100, length: 2000 },
      { kind: 'data', partition: 1000, frame: 0, offset: 2100, length: 1000 },
      { kind: 'hole', length: 4096 },
      { kind: 'data', partition: 1000, frame: 1, offset: 0, length: 1000 },
      { kind: 'data', partition: 998, frame: 7, offset: 300, length: 904 },
    ],
  },
];

export const journalFrames: readonly JournalFrame[] = [
  { codec: 1, chunks: [chunk(0xc1, 5), chunk(0xc2, 3)] },
];

export const swarmView: SwarmView = [
  {
    id: stripe.shards[0]!.peer,
    operator: 'anna',
    region: 'eu/de/berlin',
    failureDomains: ['building-2'],
    member: true,
    freeBytes: 2 ** 40,
    capacityBytes: 2 ** 41,
    latencyMs: 12.345,
    packetLoss: 0.000_001,
    reputation: 1,
    stability: 0,
    uptime: 0.95,
  },
  {
    id: stripe.shards[1]!.peer,
    operator: 'ben',
    region: 'na/us/nyc',
    failureDomains: [],
    member: false,
  },
].sort((a, b) => (a.id < b.id ? -1 : 1));

export const manifest: Manifest = {
  snapshot: '11111111-2222-4333-8444-555555555555' as SnapshotId,
  owner,
  sequence: 2,
  source: 'chat',
  sourceKind: 'tree',
  sourceAttributes: { root: '/srv/chat' },
  startedAt: 1_756_598_400_000,
  finishedAt: 1_756_598_460_000,
  complete: false,
  problems: [{ path: Uint8Array.from(Buffer.from('docs/b')), message: 'no permission' }],
  problemCount: 1,
  tags: ['daily'],
  policy: { version: 1, k: 2, m: 1, helpers: 0, maxPerOperator: 1, compressionLevel: 1, leaseDays: 90 },
  totals: { objects: 2, bytes: 9000, newBytes: 8000, storedBytes: 196_608, partitions: 1 },
  previous: stripe,
  previousSequence: 1,
  metadata: {
    objects: [{ kind: 'data', partition: 1000, frame: 0, offset: 0, length: 106 }],
    stripes: [{ kind: 'data', partition: 1000, frame: 0, offset: 106, length: 280 }],
    partitions: [stripe],
  },
};

export const head: Head = {
  owner,
  sequence: 2,
  writtenAt: 1_756_598_461_000,
  snapshot: manifest.snapshot,
  manifest: stripe,
};

/** The codecs take signing and sealing as functions; these stand in for them, so that the bytes are always the same. */
export const sign = (): Uint8Array => Buffer.from('signature');
export const verify = (_domain: string, _bytes: Uint8Array, signature: Uint8Array): boolean =>
  Buffer.from('signature').equals(signature);
export const unsealed = (content: Uint8Array): Uint8Array => content;

export const cacheHeader = { snapshot: manifest.snapshot, sequence: 2 };
export const blockHashes = Buffer.concat([repeat(0xb1, 16), repeat(0xb2, 16)]);

function payload(): Uint8Array {
  const bytes = new Uint8Array(256);
  bytes.set(payloadContent, PAYLOAD_HEADER_BYTES);
  finishPayload(bytes, payloadFrames);
  return bytes;
}

function cache(): Uint8Array {
  const checksum = new CacheChecksum();
  const pieces = [encodeCacheHeader(cacheHeader)];
  for (const record of objects) {
    if (record.type === 'object') pieces.push(encodeCacheObject(record.object, 'ino:7'));
    else pieces.push(encodeCacheExtents(record.extents), encodeCacheBlocks(blockHashes));
  }
  for (const piece of pieces) checksum.update(piece);
  return Buffer.concat([...pieces, checksum.end()]);
}

export const rowsDescription: RowsDescription = {
  dialect: 'postgres',
  schema: 'public',
  table: 'users',
  family: 'pii',
  window: { label: '2026-11', column: 'seen', from: '2026-11-01 00:00:00+00', to: '2026-12-01 00:00:00+00' },
  columns: [
    { name: 'id', type: 'bigint', typeId: 20, encoding: 'binary', notNull: true },
    { name: 'email', type: 'character varying(200)', typeId: 1043, encoding: 'binary', notNull: false },
  ],
  keyColumns: 1,
};

export const rowsIndex: RowsIndex = {
  rows: 2,
  checksum: repeat(0x5a, 16),
  samples: [{ offset: 0, row: 0, key: Uint8Array.from([0, 1, 0, 0, 0, 2, 0, 7]) }],
};

export const ENCODERS: Readonly<Record<string, () => Uint8Array>> = {
  payload,
  objects: () =>
    Buffer.concat(
      objects.map((r) => (r.type === 'object' ? encodeObject(r.object) : encodeExtents(r.extents))),
    ),
  stripe: () => encodeStripe(stripe),
  'journal-frames': () => encodeJournalFrames(journalFrames),
  'swarm-view': () => encodeSwarmView(swarmView),
  manifest: () => encodeManifest(manifest, sign),
  head: () => encodeHead(head, { sign, seal: unsealed }),
  cache,
  'rows-description': () => encodeRowsDescription(rowsDescription),
  'rows-index': () => encodeRowsIndex(rowsIndex),
};
