import type { ChunkId, PartitionLabel } from '@holdfast/contracts';
import { BLOCK_HASH_BYTES, hashBlocks } from '../sealing/block-hashes.ts';
import { chunkId } from '../sealing/chunk-id.ts';
import type { Adoption } from './adoption.ts';
import type { ChunkIndex } from './chunk-index.ts';
import { ChunkRef } from './chunk-ref.ts';
import type { FrameAssembler } from './frame-assembler.ts';
import type { SlabCursor } from './slab-cursor.ts';

/** A chunk's bytes in the cursor's slab. */
export interface ChunkSpan {
  readonly offset: number;
  readonly length: number;
}

export interface AdmittedBlocks {
  readonly ref: ChunkRef;
  readonly hashes: Uint8Array | Promise<Uint8Array>;
}

/**
 * Decides for each chunk read whether it is stored already, belongs to a partition that an interrupted run left half
 * sent, or goes into a new frame. Chunks are asked for in batches: one catalog query for many.
 */
export class ChunkIntake {
  readonly #index: ChunkIndex;
  readonly #assembler: FrameAssembler;
  readonly #adoption: Adoption;
  readonly #key: Uint8Array;
  /** Of the object that is being read. */
  label: PartitionLabel | null = null;
  newChunks = 0;
  newBytes = 0;
  reusedChunks = 0;

  constructor(options: {
    index: ChunkIndex;
    assembler: FrameAssembler;
    adoption: Adoption;
    chunkIdKey: Uint8Array;
  }) {
    this.#index = options.index;
    this.#assembler = options.assembler;
    this.#adoption = options.adoption;
    this.#key = options.chunkIdKey;
  }

  /** In order, a ref for each span. The spans' bytes may be overwritten only once their slab is released. */
  async admit(cursor: SlabCursor, spans: readonly ChunkSpan[]): Promise<ChunkRef[]> {
    const ids = spans.map(({ offset, length }) => chunkId(this.#key, cursor.view(offset, length)));
    const known = await this.#index.find(ids);
    const refs: ChunkRef[] = [];
    for (const [i, span] of spans.entries()) {
      // The same new chunk may stand twice in a batch: the second finds the first.
      const ref = known[i] ?? this.#index.get(ids[i]!);
      if (ref) this.reusedChunks++;
      refs.push(ref ?? (await this.#addNew(new ChunkRef(ids[i]!, span.length, this), cursor, span)));
    }
    return refs;
  }

  /**
   * One chunk that is an array of blocks, with the hashes of these blocks: from the thread that compresses the chunk,
   * or from here when it is stored already.
   */
  async admitBlocks(
    cursor: SlabCursor,
    span: ChunkSpan,
    id: ChunkId,
    blockBytes: number,
  ): Promise<AdmittedBlocks> {
    const bytes = cursor.view(span.offset, span.length);
    const hashHere = () => hashBlocks(this.#key, bytes, blockBytes);
    const [known] = await this.#index.find([id]);
    if (known) {
      this.reusedChunks++;
      return { ref: known, hashes: hashHere() };
    }
    const ref = new ChunkRef(id, span.length, this);
    this.#countNew(span);
    if (this.#adoption.claim(ref, bytes)) return { ref, hashes: hashHere() };
    const { offset, placed } = await this.#assembler.add(ref, { slab: cursor.slab, ...span }, blockBytes);
    const from = (offset / blockBytes) * BLOCK_HASH_BYTES;
    const length = Math.ceil(span.length / blockBytes) * BLOCK_HASH_BYTES;
    return { ref, hashes: placed.then(({ blockHashes }) => blockHashes.subarray(from, from + length)) };
  }

  async #addNew(ref: ChunkRef, cursor: SlabCursor, span: ChunkSpan): Promise<ChunkRef> {
    this.#countNew(span);
    if (!this.#adoption.claim(ref, cursor.view(span.offset, span.length))) {
      await this.#assembler.add(ref, { slab: cursor.slab, ...span });
    }
    return ref;
  }

  #countNew(span: ChunkSpan): void {
    this.newChunks++;
    this.newBytes += span.length;
  }
}
