import { HoldfastError, MiB, type SnapshotRecord, type Stripe } from '@holdfast/contracts';
import { type Extent, encodeManifest, type Manifest, type ManifestPolicy } from '@holdfast/formats';
import type { BackupPipeline } from '../backup/backup-pipeline.ts';
import { ChunkRef, type ContentPart } from '../backup/chunk-ref.ts';
import { appendExtent } from '../backup/snapshot-log.ts';
import { StreamReader } from '../backup/stream-reader.ts';
import type { RunContext } from '../run-context.ts';
import { chunkId } from '../sealing/chunk-id.ts';
import type { ObjectStream } from './object-stream.ts';
import { StreamContent } from './stream-content.ts';
import { stripeStream } from './stripe-stream.ts';

/** What the manifest says beside where things are. */
export type SnapshotFacts = Omit<Manifest, 'owner' | 'metadata' | 'previous' | 'previousSequence' | 'policy'>;

/**
 * Describes durable data: metadata streams, then the manifest that points to them, each durable before the next, so
 * that a crash in between leaves unreferenced shards and never a reference to something that is not there.
 */
export class SnapshotPublisher {
  readonly #run: RunContext;
  readonly #pipeline: BackupPipeline;

  constructor(run: RunContext, pipeline: BackupPipeline) {
    this.#run = run;
    this.#pipeline = pipeline;
  }

  /** Stores the manifest and what it points to; the data must be durable already. */
  async storeManifest(
    facts: SnapshotFacts,
    previous: SnapshotRecord | null,
    objectStream: ObjectStream,
    partitions: ReadonlySet<number>,
  ): Promise<Stripe> {
    const { engine } = this.#run;
    const { flow, assembler } = this.#pipeline;
    const objects = await this.#storeStream(objectStream.read());
    const stripes = await this.#storeStream(stripeStream(partitions, engine.catalog));
    await assembler.flush();
    await flow.drained();
    const metadata = { objects: extentsOf(objects), stripes: extentsOf(stripes) };
    const manifest: Manifest = {
      ...facts,
      owner: engine.owner,
      policy: manifestPolicy(this.#run.policy),
      previous: previous?.manifest ?? null,
      previousSequence: previous?.sequence ?? null,
      metadata: {
        ...metadata,
        partitions: await this.#partitionsOf([...metadata.objects, ...metadata.stripes]),
      },
    };
    const signer = engine.keys.signer();
    return this.#storeWhole(encodeManifest(manifest, (domain, bytes) => signer.sign(domain, bytes)));
  }

  async #storeStream(pieces: AsyncGenerator<Uint8Array>): Promise<ContentPart[]> {
    const { cursor, intake } = this.#pipeline;
    const parts: ContentPart[] = [];
    const reader = new StreamReader({
      cursor,
      intake,
      chunkerKey: this.#run.engine.keys.chunkerKey(),
      signal: this.#run.tasks.signal,
      onRead: () => {},
      log: { addParts: (more) => parts.push(...more), backlogged: false, catchUp: async () => {} },
    });
    await reader.read(new StreamContent(pieces));
    return parts;
  }

  /** Bytes that go into one partition of their own. */
  async #storeWhole(bytes: Uint8Array): Promise<Stripe> {
    const { cursor, assembler, flow } = this.#pipeline;
    const { catalog, keys } = this.#run.engine;
    const key = keys.chunkIdKey();
    const refs: ChunkRef[] = [];
    for (let at = 0; at < bytes.length; at += MiB) {
      const piece = bytes.subarray(at, at + MiB);
      (await cursor.room(piece.length)).set(piece);
      cursor.filled(piece.length);
      const ref = new ChunkRef(chunkId(key, piece), piece.length);
      await assembler.add(ref, {
        slab: cursor.slab,
        offset: cursor.consume(piece.length),
        length: piece.length,
      });
      refs.push(ref);
    }
    await assembler.flush();
    await flow.drained();
    const numbers = new Set(refs.map((ref) => ref.location!.partition));
    const [stripe] = await catalog.stripes([...numbers]);
    if (numbers.size === 1 && stripe) return stripe;
    throw new HoldfastError('INTERNAL', `A manifest of ${bytes.length} bytes does not fit one partition.`, {
      hint: 'Split the source: it has too many metadata partitions for this policy.',
    });
  }

  async #partitionsOf(extents: readonly Extent[]): Promise<Stripe[]> {
    const numbers = [
      ...new Set(extents.flatMap((extent) => (extent.kind === 'data' ? [extent.partition] : []))),
    ];
    const stripes = await this.#run.engine.catalog.stripes(numbers);
    return stripes.map((stripe) => stripe!);
  }
}

function manifestPolicy({ placement: _, ...policy }: RunContext['policy']): ManifestPolicy {
  return policy;
}

/** For parts whose chunks all have their places. */
function extentsOf(parts: readonly ContentPart[]): Extent[] {
  const extents: Extent[] = [];
  for (const part of parts) {
    if (part.kind !== 'chunk') appendExtent(extents, part);
    else {
      const location = (part.ref as ChunkRef).location!;
      const { partition, frame } = location;
      appendExtent(extents, {
        kind: 'data',
        partition,
        frame,
        offset: location.offset + part.offset,
        length: part.length,
      });
    }
  }
  return extents;
}
