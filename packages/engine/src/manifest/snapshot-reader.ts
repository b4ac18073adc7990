import { HoldfastError, type SnapshotRecord, type Stripe } from '@holdfast/contracts';
import {
  decodeManifest,
  type Extent,
  type Manifest,
  type MetadataRecord,
  metadataReader,
  stripeReader,
} from '@holdfast/formats';
import type { EngineContext } from '../api.ts';
import type { OpenedPartitions } from '../restore/opened-partitions.ts';

/** What peers hold of a snapshot, read in the order manifest → stripes → objects, each verified by the one before. */
export class SnapshotReader {
  readonly manifest: Manifest;
  readonly #partitions: OpenedPartitions;

  private constructor(manifest: Manifest, partitions: OpenedPartitions) {
    this.manifest = manifest;
    this.#partitions = partitions;
  }

  /** SIGNATURE_INVALID, HASH_MISMATCH when the manifest is not the one that the record means. */
  static async open(
    record: SnapshotRecord,
    context: EngineContext,
    partitions: OpenedPartitions,
  ): Promise<SnapshotReader> {
    partitions.know(record.manifest);
    const pieces: Uint8Array[] = [];
    for await (const frame of partitions.allFrames(record.manifest.number)) pieces.push(frame);
    const verifier = context.keys.verifier();
    const manifest = decodeManifest(Buffer.concat(pieces), (domain, bytes, signature) =>
      verifier.verify(domain, bytes, signature),
    );
    const { snapshot, owner, sequence } = manifest;
    if (snapshot !== record.id || owner !== context.owner || sequence !== record.sequence) {
      throw new HoldfastError(
        'HASH_MISMATCH',
        `The manifest found for snapshot ${record.id} is that of ${snapshot}.`,
        {
          details: { expected: record.id, found: snapshot },
        },
      );
    }
    for (const stripe of manifest.metadata.partitions) partitions.know(stripe);
    return new SnapshotReader(manifest, partitions);
  }

  /** Reads the list of partitions, after which all content can be found. Without those of the manifest itself. */
  async *stripes(): AsyncGenerator<Stripe> {
    const reader = stripeReader();
    for await (const bytes of this.#stream(this.manifest.metadata.stripes)) {
      for (const stripe of reader.push(bytes)) {
        this.#partitions.know(stripe);
        yield stripe;
      }
    }
    reader.end();
  }

  async *records(): AsyncGenerator<MetadataRecord> {
    const reader = metadataReader();
    for await (const bytes of this.#stream(this.manifest.metadata.objects)) yield* reader.push(bytes);
    yield* reader.end();
  }

  async *#stream(extents: readonly Extent[]): AsyncGenerator<Uint8Array> {
    for (const extent of extents) {
      if (extent.kind !== 'data') continue;
      const { bytes, release } = await this.#partitions.frame(extent.partition, extent.frame);
      try {
        yield sliceFrame(bytes, extent);
      } finally {
        release();
      }
    }
  }
}

/** The extent's bytes of its frame. FORMAT_INVALID when it does not lie within. */
export function sliceFrame(raw: Uint8Array, extent: Extract<Extent, { kind: 'data' }>): Uint8Array {
  if (extent.offset + extent.length <= raw.length)
    return raw.subarray(extent.offset, extent.offset + extent.length);
  throw new HoldfastError(
    'FORMAT_INVALID',
    `An extent goes beyond frame ${extent.frame} of partition number ${extent.partition}.`,
  );
}
