import { BufferGarbage, type ChunkId, MiB, type PartitionId } from '@holdfast/contracts';
import { SealingKeys } from '@holdfast/crypto';
import { StripeArena } from '@holdfast/erasure';
import { arenaSizeFor } from '../../packages/engine/src/sealing/arena-set.ts';
import { chunkId } from '../../packages/engine/src/sealing/chunk-id.ts';
import type { ChunkEntry, SealReport } from '../../packages/engine/src/sealing/protocol.ts';
import { StripeBuilder } from '../../packages/engine/src/sealing/stripe-builder.ts';
import { ThreadArenas } from '../../packages/engine/src/sealing/thread-arenas.ts';
import type { Shape } from './sealing-pass.ts';

const FRAME_BYTES = MiB;
const CHUNK_BYTES = 64 * 1024;
const NO_BLOCK_HASHES = new Uint8Array(0);
export const EPOCH = 0;
export const PARTITION = '6f2b1c9e-3d5a-4c77-9b10-2f8e5d4c3b2a' as PartitionId;

interface Frame {
  readonly raw: Uint8Array;
  readonly chunks: readonly ChunkEntry[];
}

/** What a sealing thread has, without the thread: the builder, fed with frames of 1 MiB from given content in turn. */
export class StripeMaker {
  readonly arenas = new ThreadArenas();
  readonly keys = SealingKeys.fromSecret(new Uint8Array(32).fill(7));
  readonly chunkIdKey = new Uint8Array(32).fill(9);
  readonly #builder: StripeBuilder;
  readonly #frames: readonly Frame[];
  readonly #garbage = new BufferGarbage();
  #sealed: SealReport | null = null;
  #next = 0;

  /** @param content more of it than a payload holds: a payload has no chunk twice. */
  constructor({ k, m }: Shape, compressionLevel: number, content: Uint8Array) {
    this.#frames = framesOf(content, this.chunkIdKey);
    const code = { k, m, helpers: 0 };
    const size = arenaSizeFor(code);
    for (const index of [0, 1]) {
      this.arenas.know({ index, memory: StripeArena.create(size).memory, size });
      this.arenas.release(index);
    }
    this.#builder = new StripeBuilder({
      arenas: this.arenas,
      keys: this.keys,
      code,
      compressionLevel,
      identity: async () => ({
        id: PARTITION,
        number: 1,
        epoch: EPOCH,
        packageKey: new Uint8Array(32).fill(42),
      }),
      closing: () => {},
      sealed: (report) => {
        this.#sealed = report;
      },
    });
  }

  /** The next stripe. Its arena is not used again before `release`, which has to come before the next `make`. */
  async make(): Promise<SealReport> {
    this.#sealed = null;
    while (this.#sealed === null) {
      const { raw, chunks } = this.#frames[this.#next++ % this.#frames.length]!;
      await this.#builder.add(raw, chunks, NO_BLOCK_HASHES, []);
      this.#garbage.note(raw.length);
    }
    const report = this.#sealed as SealReport;
    this.#garbage.note(2 * report.size);
    return report;
  }

  release({ arena }: SealReport): void {
    this.arenas.release(arena);
  }
}

function framesOf(content: Uint8Array, key: Uint8Array): Frame[] {
  const frames = Array.from({ length: Math.floor(content.length / FRAME_BYTES) }, (_, i) =>
    content.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES),
  );
  return frames.map((raw) => {
    const pieces = Array.from({ length: FRAME_BYTES / CHUNK_BYTES }, (_, i) =>
      raw.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES),
    );
    const chunks = pieces.map((piece) => ({ id: chunkId(key, piece) as ChunkId, length: piece.length }));
    return { raw, chunks };
  });
}
