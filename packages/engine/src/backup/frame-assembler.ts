import { MiB, type PartitionLabel } from '@holdfast/contracts';
import type { TaskGroup } from '../flow/task-group.ts';
import type { EncryptionManager } from '../sealing/encryption-manager.ts';
import type { ChunkEntry, FramePiece, FramePlacement } from '../sealing/protocol.ts';
import type { ChunkIndex } from './chunk-index.ts';
import type { ChunkRef } from './chunk-ref.ts';

/** A frame's raw bytes: enough for zstd's level-1 window, few enough that a restore of one chunk stays cheap. */
const FRAME_BYTES = MiB;
const SLABS_PER_FRAME = 2;
/** Raw bytes that may wait in one lane: keeps the thread busy while the main thread reads on. */
const LANE_QUEUE_BYTES = 6 * MiB;

interface OpenFrame {
  readonly refs: ChunkRef[];
  readonly pieces: FramePiece[];
  readonly slabs: Set<number>;
  readonly chunks: ChunkEntry[];
  readonly blockBytes: number;
  readonly label: PartitionLabel | null;
  readonly placed: PromiseWithResolvers<FramePlacement>;
  bytes: number;
}

interface Lane {
  /** Of the stripe that is open there. */
  label: PartitionLabel | null;
  queued: number;
  readonly waiters: (() => void)[];
}

/**
 * Joins new chunks into frames and deals the frames to the sealing lanes. A lane gets about a partition's worth in a
 * row, so that neighbours in the source end up in one partition and a restore reads partitions in order. What has
 * different labels never shares a partition.
 */
export class FrameAssembler {
  readonly #encryption: EncryptionManager;
  readonly #index: ChunkIndex;
  readonly #tasks: TaskGroup;
  readonly #lanes: Lane[];
  readonly #runBytes: number;
  #frame: OpenFrame | null = null;
  #lane = 0;
  #run = 0;
  readonly #used = new Set<number>();

  constructor(options: { encryption: EncryptionManager; index: ChunkIndex; tasks: TaskGroup; k: number }) {
    this.#encryption = options.encryption;
    this.#index = options.index;
    this.#tasks = options.tasks;
    this.#lanes = Array.from({ length: options.encryption.lanes }, () => ({
      label: null,
      queued: 0,
      waiters: [],
    }));
    this.#runBytes = 2 * options.k * MiB;
  }

  /**
   * Takes a new chunk that lies in a slab; the slab is retained until its frame is compressed. Waits while the lanes
   * are full. Resolves with a promise of the frame's placement, and the chunk's offset in the frame.
   */
  async add(
    ref: ChunkRef,
    piece: FramePiece,
    blockBytes = 0,
  ): Promise<{ offset: number; placed: Promise<FramePlacement> }> {
    while (this.#frame && !joins(this.#frame, ref, piece, blockBytes)) await this.#submit(this.#frame);
    this.#frame ??= newFrame(blockBytes, ref.label);
    const frame = this.#frame;
    const offset = frame.bytes;
    this.#encryption.slabs.retain(piece.slab);
    frame.refs.push(ref);
    frame.pieces.push(piece);
    frame.slabs.add(piece.slab);
    frame.chunks.push({ id: ref.id, length: ref.length });
    frame.bytes += piece.length;
    this.#index.add(ref);
    return { offset, placed: frame.placed.promise };
  }

  /** Sends off the open frame, so that its chunks get a place though no more may follow for long. */
  async submitOpen(): Promise<void> {
    if (this.#frame) await this.#submit(this.#frame);
  }

  /** Sends off what is open and seals every lane's open stripe. Resolves when all of them are sealed. */
  async flush(): Promise<void> {
    await this.submitOpen();
    const lanes = [...this.#used];
    this.#used.clear();
    this.#run = 0;
    await Promise.all(lanes.map((lane) => this.#encryption.flush(lane)));
  }

  async #submit(frame: OpenFrame): Promise<void> {
    this.#frame = null;
    const lane = this.#chooseLane(frame);
    const state = this.#lanes[lane]!;
    while (state.queued > LANE_QUEUE_BYTES) {
      this.#tasks.throwIfFailed();
      await new Promise<void>((resolve) => state.waiters.push(resolve));
    }
    this.#tasks.throwIfFailed();
    if (!isSameLabel(state.label, frame.label) && this.#used.has(lane)) {
      // Jobs of a lane are done in order: nobody need wait for it here.
      this.#tasks.run(() => this.#encryption.flush(lane));
    }
    state.label = frame.label;
    state.queued += frame.bytes;
    this.#used.add(lane);
    this.#tasks.run(() => this.#seal(lane, frame));
  }

  async #seal(lane: number, frame: OpenFrame): Promise<void> {
    const { pieces, chunks, blockBytes, label } = frame;
    try {
      const placement = await this.#encryption.seal(lane, { pieces, chunks, blockBytes, label });
      this.#locate(frame, placement);
      frame.placed.resolve(placement);
    } catch (error) {
      frame.placed.reject(error);
      throw error;
    } finally {
      for (const { slab } of pieces) this.#encryption.slabs.release(slab);
      const state = this.#lanes[lane]!;
      state.queued -= frame.bytes;
      for (const resolve of state.waiters.splice(0)) resolve();
    }
  }

  #locate(frame: OpenFrame, placement: FramePlacement): void {
    let first = 0;
    for (const { partition, frame: number, chunks } of placement.parts) {
      let offset = 0;
      for (const ref of frame.refs.slice(first, first + chunks)) {
        ref.locate({ partition, frame: number, offset, length: ref.length });
        this.#index.placed(ref);
        offset += ref.length;
      }
      first += chunks;
    }
  }

  /** Another label goes to whichever lane is free: its partitions are others in any case. */
  #chooseLane({ bytes, label }: OpenFrame): number {
    if (this.#run >= this.#runBytes || !isSameLabel(this.#lanes[this.#lane]!.label, label)) {
      this.#run = 0;
      const queued = this.#lanes.map((lane) => lane.queued);
      this.#lane = queued.indexOf(Math.min(...queued));
    }
    this.#run += bytes;
    return this.#lane;
  }
}

/**
 * Blocks are hashed by their place in the frame: nothing may follow an object's last block if that is a short one. And
 * a frame holds on to few slabs, however little of each it needs: else a few new bytes among much that is known would
 * take them all before the frame is full, and reading would wait for ever.
 */
const joins = (frame: OpenFrame, ref: ChunkRef, piece: FramePiece, blockBytes: number): boolean =>
  isSameLabel(frame.label, ref.label) &&
  frame.bytes + piece.length <= FRAME_BYTES &&
  frame.blockBytes === blockBytes &&
  (blockBytes === 0 || frame.bytes % blockBytes === 0) &&
  (frame.slabs.has(piece.slab) || frame.slabs.size < SLABS_PER_FRAME);

const isSameLabel = (a: PartitionLabel | null, b: PartitionLabel | null): boolean => a?.name === b?.name;

function newFrame(blockBytes: number, label: PartitionLabel | null): OpenFrame {
  const placed = Promise.withResolvers<FramePlacement>();
  // Nobody may be waiting for it when sealing fails; the task group reports that failure.
  placed.promise.catch(() => {});
  return { refs: [], pieces: [], slabs: new Set(), chunks: [], blockBytes, label, placed, bytes: 0 };
}
