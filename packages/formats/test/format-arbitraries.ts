import {
  type Attributes,
  type AttributeValue,
  type ChunkId,
  type Cut,
  DEPENDENCY_KINDS,
  type Hash,
  type JournalFrame,
  PARTITION_KINDS,
  type PartitionId,
  type PeerId,
  type PeerView,
  peerIdFromKey,
  SIZE_CLASSES,
  type SnapshotId,
  type Stripe,
  toHex,
} from '@holdfast/contracts';
import fc from 'fast-check';
import type { Extent, Head, Manifest, ObjectRecord, PayloadFrame } from '../src/index.ts';
import { bytes, safeUint, text } from './arbitraries.ts';

export const hash: fc.Arbitrary<Hash> = bytes(32).map((value) => toHex(value) as Hash);
export const chunkId = hash as unknown as fc.Arbitrary<ChunkId>;
export const peerId: fc.Arbitrary<PeerId> = bytes(32).map(peerIdFromKey);
export const partitionId = fc.uuid() as fc.Arbitrary<PartitionId>;
export const snapshotId = fc.uuid() as fc.Arbitrary<SnapshotId>;
const partitionNumber = fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 2 ** 40 }), fc.constant(2 ** 51 - 1));

export const attributeValue: fc.Arbitrary<AttributeValue> = fc.oneof(
  text(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n }),
  fc.bigInt({ min: -5n, max: 5n }),
  fc.boolean(),
  fc.uint8Array({ maxLength: 20 }),
  fc.constantFrom(null, -0, Number.MAX_VALUE, Number.MIN_VALUE),
);

export const attributes: fc.Arbitrary<Attributes> = fc.dictionary(text(12), attributeValue, {
  maxKeys: 5,
  noNullPrototype: true,
});

const dataExtent: fc.Arbitrary<Extent> = fc.record({
  kind: fc.constant('data' as const),
  partition: partitionNumber,
  frame: fc.oneof(fc.nat({ max: 3 }), fc.constant(2 ** 32 - 1)),
  offset: fc.oneof(fc.nat({ max: 1 << 20 }), fc.constant(2 ** 52)),
  length: fc.integer({ min: 1, max: 1 << 20 }),
});

const holeExtent: fc.Arbitrary<Extent> = fc.record({
  kind: fc.constant('hole' as const),
  length: fc.oneof(fc.integer({ min: 1, max: 1 << 20 }), fc.constant(2 ** 51 - 1)),
});

/** Like what a backup writes: many go on where the one before ended, or at the start of the next frame. */
export const extents = (maxLength = 12): fc.Arbitrary<Extent[]> =>
  fc
    .array(fc.tuple(fc.oneof({ weight: 4, arbitrary: dataExtent }, holeExtent), fc.nat({ max: 3 })), {
      maxLength,
    })
    .map((drawn) => {
      let last: Extent = { kind: 'hole', length: 1 };
      return drawn.map(([extent, relation]) => {
        last = related(extent, last, relation);
        return last;
      });
    });

function related(extent: Extent, last: Extent, relation: number): Extent {
  if (extent.kind === 'hole' || last.kind === 'hole' || last.frame === 2 ** 32 - 1) return extent;
  const { partition, frame } = last;
  if (relation === 1) return { ...extent, partition, frame, offset: last.offset + last.length };
  return relation === 2 ? { ...extent, partition, frame: frame + 1, offset: 0 } : extent;
}

const cut: fc.Arbitrary<Cut> = fc.oneof(
  fc.constant({ by: 'content' as const }),
  fc.record({ by: fc.constant('blocks' as const), blockBytes: fc.constantFrom(1, 512, 4096, 2 ** 31 - 1) }),
);

const sum = (list: readonly Extent[]): number => list.reduce((total, { length }) => total + length, 0);

/** An object with the extents of its content, in lists of at most four. */
export const objectWithExtents: fc.Arbitrary<{ object: ObjectRecord; lists: Extent[][] }> = fc
  .record({
    path: fc.uint8Array({ minLength: 1, maxLength: 30 }),
    kind: text(12),
    attributes,
    cut: fc.option(cut),
    extents: extents().filter((list) => sum(list) <= Number.MAX_SAFE_INTEGER),
  })
  .map(({ extents: list, ...object }) => {
    const content = object.cut === null ? [] : list;
    const lists: Extent[][] = [];
    for (let i = 0; i < content.length; i += 4) lists.push(content.slice(i, i + 4));
    return { object: { ...object, size: sum(content) }, lists };
  });

const parityHelpers = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 255 }));

export const stripe: fc.Arbitrary<Stripe> = fc
  .record({
    id: partitionId,
    number: partitionNumber,
    kind: fc.constantFrom(...PARTITION_KINDS),
    epoch: fc.nat({ max: 2 ** 32 - 1 }),
    k: fc.integer({ min: 1, max: 6 }),
    helpers: parityHelpers,
    sizeClass: fc.constantFrom(...SIZE_CLASSES),
    size: fc.nat({ max: SIZE_CLASSES[0] }),
    rawSize: safeUint,
    checksum: hash,
    dependencies: fc.array(
      fc.record({ kind: fc.constantFrom(...DEPENDENCY_KINDS), partition: partitionId }),
      {
        maxLength: 3,
      },
    ),
    shards: fc.array(fc.record({ hash, peer: peerId }), { minLength: 6, maxLength: 9 }),
  })
  .map((drawn) => ({ ...drawn, m: drawn.shards.length - drawn.k }))
  .map((drawn) => ({ ...drawn, helpers: drawn.m === 0 ? 0 : drawn.helpers }));

const chunk = fc.record({ id: chunkId, length: fc.integer({ min: 1, max: 2000 }) });
const total = (chunks: readonly { length: number }[]) =>
  chunks.reduce((bytesSoFar, { length }) => bytesSoFar + length, 0);

export const journalFrames: fc.Arbitrary<JournalFrame[]> = fc.array(
  fc.record({ chunks: fc.array(chunk, { minLength: 1, maxLength: 5 }), codec: fc.nat({ max: 255 }) }),
  { maxLength: 5 },
);

const share = fc.nat({ max: 1_000_000 }).map((millionths) => millionths / 1_000_000);

export const peerView: fc.Arbitrary<PeerView> = fc.record(
  {
    id: peerId,
    operator: text(12),
    region: text(12),
    failureDomains: fc.array(text(8), { maxLength: 3 }),
    member: fc.boolean(),
    freeBytes: safeUint,
    capacityBytes: safeUint,
    latencyMs: fc.nat().map((microseconds) => microseconds / 1000),
    packetLoss: share,
    reputation: share,
    stability: share,
    uptime: share,
  },
  {
    requiredKeys: ['id', 'operator', 'region', 'failureDomains', 'member'],
    noNullPrototype: true,
  },
);

/** By peer id, each once. */
export const swarmView: fc.Arbitrary<PeerView[]> = fc
  .uniqueArray(peerView, { selector: ({ id }) => id, maxLength: 6 })
  .map((peers) => peers.sort((a, b) => (a.id < b.id ? -1 : 1)));

export const payloadFrames: fc.Arbitrary<PayloadFrame[]> = fc
  .uniqueArray(chunk, { selector: ({ id }) => id, maxLength: 12 })
  .chain((chunks) =>
    fc
      .array(
        fc.record({
          codec: fc.constantFrom(0 as const, 1 as const),
          take: fc.integer({ min: 1, max: 4 }),
          ratio: fc.double({ min: 0.1, max: 1.1, noNaN: true }),
        }),
        { minLength: 12, maxLength: 12 },
      )
      .map((plans) => {
        const left = [...chunks];
        const frames: PayloadFrame[] = [];
        for (const { codec, take, ratio } of plans) {
          const taken = left.splice(0, take);
          if (taken.length === 0) break;
          const rawLength = total(taken);
          const storedLength = codec === 0 ? rawLength : Math.ceil(rawLength * ratio);
          frames.push({ codec, rawLength, storedLength, chunks: taken });
        }
        return frames;
      }),
  );

export const head: fc.Arbitrary<Head> = fc.record({
  owner: peerId,
  sequence: safeUint,
  writtenAt: safeUint,
  snapshot: snapshotId,
  manifest: stripe,
});

const streamExtents = (partitions: readonly Stripe[]): fc.Arbitrary<Extent[]> =>
  partitions.length === 0
    ? fc.constant([])
    : fc.array(
        fc.tuple(dataExtent, fc.constantFrom(...partitions)).map(([extent, { number }]): Extent => {
          return { ...extent, kind: 'data', partition: number } as Extent;
        }),
        { maxLength: 5 },
      );

export const manifest: fc.Arbitrary<Manifest> = fc
  .uniqueArray(stripe, { selector: ({ number }) => number, maxLength: 3 })
  .chain((partitions) =>
    fc.record({
      snapshot: snapshotId,
      owner: peerId,
      sequence: safeUint.map((sequence) => Math.max(1, sequence)),
      source: text(),
      sourceKind: text(),
      sourceAttributes: attributes,
      startedAt: safeUint,
      finishedAt: safeUint,
      complete: fc.boolean(),
      problems: fc.array(fc.record({ path: fc.uint8Array({ maxLength: 20 }), message: text() }), {
        maxLength: 3,
      }),
      problemCount: fc.integer({ min: 3, max: 1 << 30 }),
      tags: fc.array(text(), { maxLength: 3 }),
      policy: fc.record({
        version: fc.nat(),
        k: fc.integer({ min: 1, max: 255 }),
        m: fc.integer({ min: 1, max: 255 }),
        helpers: parityHelpers,
        maxPerOperator: fc.nat(),
        compressionLevel: fc.nat({ max: 19 }),
        leaseDays: fc.nat(),
      }),
      totals: fc.record({
        objects: safeUint,
        bytes: safeUint,
        newBytes: safeUint,
        storedBytes: safeUint,
        partitions: safeUint,
      }),
      previous: fc.option(stripe),
      metadata: fc.record({
        objects: streamExtents(partitions),
        stripes: streamExtents(partitions),
        partitions: fc.constant(partitions),
      }),
    }),
  )
  .map((drawn) => ({ ...drawn, previousSequence: drawn.previous === null ? null : drawn.sequence - 1 }));
