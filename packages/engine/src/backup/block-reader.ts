import { type ContentReader, HoldfastError, toHex } from '@holdfast/contracts';
import type { Extent } from '@holdfast/formats';
import { BLOCK_HASH_BYTES, hashBlocks } from '../sealing/block-hashes.ts';
import { chunkId } from '../sealing/chunk-id.ts';
import type { ChunkIntake } from './chunk-intake.ts';
import type { ContentPart } from './chunk-ref.ts';
import { PatchChunk } from './patch-chunk.ts';
import type { SlabCursor } from './slab-cursor.ts';
import type { SnapshotLog } from './snapshot-log.ts';

/** A block-cut object is compared and stored in groups of this many bytes (or one block, if that is larger). */
const GROUP_BYTES = 256 * 1024;
/** A group that would be pieced together from more than this share of its blocks is stored whole again. */
const MAX_PATCHED_SHARE = 0.5;

export const groupBytes = (blockBytes: number): number =>
  Math.max(1, Math.floor(GROUP_BYTES / blockBytes)) * blockBytes;

/** A group as the previous snapshot stored it. */
export interface PreviousGroup {
  /** The group's own hash, then one per block. */
  readonly hashes: Uint8Array;
  readonly extents: readonly Extent[];
  readonly bytes: number;
}

export interface BlockReaderOptions {
  readonly cursor: SlabCursor;
  readonly patchCursor: SlabCursor;
  readonly intake: ChunkIntake;
  readonly log: SnapshotLog;
  readonly chunkIdKey: Uint8Array;
  readonly signal: AbortSignal;
  readonly onRead: (bytes: number) => void;
}

/**
 * Reads an object whose blocks change in place. Each group is compared with the previous snapshot's by hash: equal
 * ones are taken over, slightly changed ones become the old extents with the changed blocks put in between, stored
 * together in patch chunks. So scattered edits cost the blocks they touched, and a restore needs no chain of deltas.
 */
export class BlockReader {
  readonly #options: BlockReaderOptions;

  constructor(options: BlockReaderOptions) {
    this.#options = options;
  }

  /** @param previous gives the groups in order; null where there is none. */
  async read(
    reader: ContentReader,
    blockBytes: number,
    previous: () => Promise<PreviousGroup | null>,
  ): Promise<number> {
    const { log } = this.#options;
    const patch = new PatchChunk(this.#options.patchCursor, this.#options.intake);
    let total = 0;
    for (;;) {
      const bytes = await this.#fill(reader, groupBytes(blockBytes));
      if (bytes === 0) break;
      const before = await previous();
      const group = await this.#group(bytes, blockBytes, before?.bytes === bytes ? before : null, patch);
      log.addGroup(group.parts, group.hashes);
      if (log.backlogged) await log.catchUp(() => patch.close());
      total += bytes;
    }
    await patch.close();
    return total;
  }

  /** Reads one group into the cursor's slab; fewer bytes only at the end of the content. */
  async #fill(reader: ContentReader, wanted: number): Promise<number> {
    const { cursor, signal, onRead } = this.#options;
    let filled = 0;
    while (filled < wanted) {
      const room = await cursor.room(wanted - filled);
      const result = await reader.read(room.subarray(0, wanted - filled), { signal });
      if (result.kind === 'end') break;
      if (result.kind === 'hole')
        throw new HoldfastError('SOURCE_UNREADABLE', 'A block-cut object cannot have holes.');
      cursor.filled(result.length);
      filled += result.length;
      onRead(result.length);
    }
    return filled;
  }

  async #group(bytes: number, blockBytes: number, before: PreviousGroup | null, patch: PatchChunk) {
    const { cursor, chunkIdKey, intake } = this.#options;
    const id = chunkId(chunkIdKey, cursor.pending());
    const groupHash = Buffer.from(id, 'hex').subarray(0, BLOCK_HASH_BYTES);
    if (before && groupHash.equals(before.hashes.subarray(0, BLOCK_HASH_BYTES))) {
      cursor.discard();
      return { parts: before.extents, hashes: before.hashes };
    }
    if (before) {
      const hashes = hashBlocks(chunkIdKey, cursor.pending(), blockBytes);
      const changed = changedBlocks(hashes, before.hashes.subarray(BLOCK_HASH_BYTES));
      const pieces = changed.length + before.extents.length - 1;
      if (pieces <= (hashes.length / BLOCK_HASH_BYTES) * MAX_PATCHED_SHARE) {
        const parts = await this.#patched(before.extents, changed, blockBytes, patch);
        cursor.discard();
        return { parts, hashes: Buffer.concat([groupHash, hashes]) };
      }
    }
    const span = { offset: cursor.consume(bytes), length: bytes };
    const { ref, hashes } = await intake.admitBlocks(cursor, span, id, blockBytes);
    const parts: ContentPart[] = [{ kind: 'chunk', ref, offset: 0, length: bytes }];
    const all = Promise.resolve(hashes).then((blocks) => Buffer.concat([groupHash, blocks]));
    // The log may have stopped waiting when the run ends early; the failure itself reaches the task group.
    all.catch(() => {});
    return { parts, hashes: all };
  }

  async #patched(
    extents: readonly Extent[],
    changed: readonly number[],
    blockBytes: number,
    patch: PatchChunk,
  ) {
    const { cursor } = this.#options;
    const bytes = cursor.pending();
    const parts: ContentPart[] = [];
    let position = 0;
    for (const block of changed) {
      const start = block * blockBytes;
      parts.push(...sliceExtents(extents, position, start));
      parts.push(await patch.append(bytes.subarray(start, start + blockBytes)));
      position = start + blockBytes;
    }
    parts.push(...sliceExtents(extents, position, bytes.length));
    return parts;
  }
}

function changedBlocks(now: Uint8Array, before: Uint8Array): number[] {
  if (now.length !== before.length) {
    throw new HoldfastError(
      'INTERNAL',
      `The cache has ${before.length} bytes of block hashes, not ${now.length}: ${toHex(before.subarray(0, 16))}`,
    );
  }
  const changed: number[] = [];
  for (let at = 0; at < now.length; at += BLOCK_HASH_BYTES) {
    if (
      Buffer.compare(now.subarray(at, at + BLOCK_HASH_BYTES), before.subarray(at, at + BLOCK_HASH_BYTES)) !==
      0
    ) {
      changed.push(at / BLOCK_HASH_BYTES);
    }
  }
  return changed;
}

/** The extents that make up bytes `from` … `to` of a run of extents. */
export function sliceExtents(extents: readonly Extent[], from: number, to: number): Extent[] {
  const slices: Extent[] = [];
  let position = 0;
  for (const extent of extents) {
    const start = Math.max(from, position);
    const end = Math.min(to, position + extent.length);
    if (start < end) {
      const length = end - start;
      slices.push(
        extent.kind === 'hole'
          ? { kind: 'hole', length }
          : { ...extent, offset: extent.offset + start - position, length },
      );
    }
    position += extent.length;
  }
  return slices;
}
