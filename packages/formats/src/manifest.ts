import type {
  Attributes,
  OwnerId,
  SnapshotId,
  SnapshotTotals,
  SourceProblem,
  Stripe,
} from '@holdfast/contracts';
import { MiB, uuidToBytes } from '@holdfast/contracts';
import { attributes, attributesToCbor } from './attributes.ts';
import { type CborValue, decodeCanonical, encodeCanonical } from './cbor.ts';
import { type Extent, extentsOf, packExtents } from './extents.ts';
import {
  bytesOf,
  checked,
  type FieldReader,
  flag,
  listOf,
  orNull,
  peerId,
  readFields,
  recordOf,
  refuse,
  snapshotId,
  textOf,
  uint,
} from './fields.ts';
import { type Parity, parityFromCbor, parityToCbor } from './parity.ts';
import { decodeSigned, encodeSigned, type Sign, type SignedFormat, type Verify } from './signed-file.ts';
import { peerKey, stripeFromCbor, stripeToCbor } from './stripe.ts';

export interface ManifestPolicy {
  readonly version: number;
  readonly k: number;
  readonly m: number;
  readonly helpers: number;
  readonly maxPerOperator: number;
  readonly compressionLevel: number;
  readonly leaseDays: number;
}

/** Where a snapshot's two streams lie. They may share partitions, which are listed in full: nothing else is needed. */
export interface MetadataLocation {
  /** The stream of objects, in the order of its bytes. */
  readonly objects: readonly Extent[];
  /** The stream of stripes: one for each partition that the objects' extents name. */
  readonly stripes: readonly Extent[];
  readonly partitions: readonly Stripe[];
}

/** A snapshot's table of contents: with the owner's keys and the peers, all that a restore needs. */
export interface Manifest {
  readonly snapshot: SnapshotId;
  readonly owner: OwnerId;
  readonly sequence: number;
  readonly source: string;
  readonly sourceKind: string;
  readonly sourceAttributes: Attributes;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly complete: boolean;
  /** The first ones (see `capProblems`); `problemCount` tells how many there were. */
  readonly problems: readonly SourceProblem[];
  readonly problemCount: number;
  readonly tags: readonly string[];
  readonly policy: ManifestPolicy;
  readonly totals: SnapshotTotals;
  /** The owner's previous manifest, of whatever source: the head leads to all snapshots. Both null for the first. */
  readonly previous: Stripe | null;
  readonly previousSequence: number | null;
  readonly metadata: MetadataLocation;
}

/** Must fit the payload of one stripe, which for most policies is less. */
export const MAX_MANIFEST_BYTES = 16 * MiB;
export const MAX_MANIFEST_PROBLEMS = 1000;
const MAX_PROBLEM_MESSAGE = 1000;
const MAX_METADATA_EXTENTS = 2 ** 18;
const MAX_METADATA_PARTITIONS = 2 ** 16;

const FORMAT: SignedFormat = {
  what: 'the manifest',
  magic: 'HFMF',
  version: 1,
  domain: 'holdfast/manifest/v1',
  maxBytes: MAX_MANIFEST_BYTES,
};

/** What a manifest has room for. Messages that a source made overlong are cut. */
export function capProblems(problems: readonly SourceProblem[]): Pick<Manifest, 'problems' | 'problemCount'> {
  const kept = problems.slice(0, MAX_MANIFEST_PROBLEMS).map(({ path, message }) => ({
    path,
    message: message.slice(0, MAX_PROBLEM_MESSAGE).toWellFormed(),
  }));
  return { problems: kept, problemCount: problems.length };
}

/** FORMAT_INVALID when it cannot be written: too large, or fields out of range. */
export function encodeManifest(manifest: Manifest, sign: Sign): Uint8Array {
  const body = encodeCanonical(checked(manifestToCbor(manifest), FORMAT.what, manifestFromCbor));
  return encodeSigned(FORMAT, body, sign);
}

/** The signature is checked before the body is looked at. FORMAT_INVALID, FORMAT_VERSION, SIGNATURE_INVALID. */
export function decodeManifest(bytes: Uint8Array, verify: Verify): Manifest {
  const body = decodeSigned(FORMAT, bytes, verify);
  const value = decodeCanonical(body, { what: FORMAT.what, maxBytes: MAX_MANIFEST_BYTES });
  return readFields(value, FORMAT.what, manifestFromCbor);
}

function manifestToCbor(manifest: Manifest): CborValue {
  const { metadata } = manifest;
  return {
    ...manifest,
    snapshot: uuidToBytes(manifest.snapshot),
    owner: peerKey(manifest.owner),
    sourceAttributes: attributesToCbor(manifest.sourceAttributes),
    problems: manifest.problems.map(({ path, message }) => ({ path, message })),
    policy: policyToCbor(manifest.policy),
    totals: { ...manifest.totals },
    previous: manifest.previous === null ? null : stripeToCbor(manifest.previous),
    metadata: {
      objects: packExtents(metadata.objects),
      stripes: packExtents(metadata.stripes),
      partitions: metadata.partitions.map(stripeToCbor),
    },
  };
}

function policyToCbor({ helpers, ...policy }: ManifestPolicy): CborValue {
  return { ...policy, m: parityToCbor({ m: policy.m, helpers }) };
}

const policyFields = recordOf<Omit<ManifestPolicy, 'm' | 'helpers'> & { readonly m: Parity }>({
  version: uint(),
  k: uint(255, 1),
  m: parityFromCbor,
  maxPerOperator: uint(),
  compressionLevel: uint(255),
  leaseDays: uint(),
});

const policyFromCbor: FieldReader<ManifestPolicy> = (value) => {
  const { m, ...policy } = policyFields(value);
  return { ...policy, ...m };
};

const text = textOf(4096);
const streamExtents = extentsOf(MAX_METADATA_EXTENTS);

const fields = recordOf<Manifest>({
  snapshot: snapshotId,
  owner: peerId,
  sequence: uint(),
  source: text,
  sourceKind: text,
  sourceAttributes: attributes,
  startedAt: uint(),
  finishedAt: uint(),
  complete: flag,
  problems: listOf(
    recordOf<SourceProblem>({ path: bytesOf(0, 65_535), message: textOf(MAX_PROBLEM_MESSAGE) }),
    MAX_MANIFEST_PROBLEMS,
  ),
  problemCount: uint(),
  tags: listOf(text, 1000),
  policy: policyFromCbor,
  totals: recordOf<SnapshotTotals>({
    objects: uint(),
    bytes: uint(),
    newBytes: uint(),
    storedBytes: uint(),
    partitions: uint(),
  }),
  previous: orNull(stripeFromCbor),
  previousSequence: orNull(uint()),
  metadata: recordOf<MetadataLocation>({
    objects: streamExtents,
    stripes: streamExtents,
    partitions: listOf(stripeFromCbor, MAX_METADATA_PARTITIONS),
  }),
});

const manifestFromCbor: FieldReader<Manifest> = (value) => {
  const manifest = fields(value);
  const { previous, previousSequence, problems, problemCount } = manifest;
  if ((previous === null) !== (previousSequence === null))
    refuse('has half a pointer to the previous manifest');
  if (previousSequence !== null && previousSequence >= manifest.sequence)
    refuse('does not come after the previous one');
  if (problemCount < problems.length) refuse('counts fewer problems than it lists');
  checkLocation(manifest.metadata);
  return manifest;
};

/** A stream in a partition that is not listed could not be found by whoever has just this manifest. */
function checkLocation({ objects, stripes, partitions }: MetadataLocation): void {
  const numbers = new Set(partitions.map(({ number }) => number));
  if (numbers.size !== partitions.length) refuse('lists a metadata partition twice');
  for (const extent of [...objects, ...stripes]) {
    if (extent.kind === 'hole') refuse('has a hole in a metadata stream');
    if (!numbers.has(extent.partition)) refuse(`does not list the metadata partition ${extent.partition}`);
  }
}
