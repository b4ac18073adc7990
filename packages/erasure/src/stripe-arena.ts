import { HoldfastError } from '@holdfast/contracts';
import { ArenaKernel } from './arena-kernel.ts';
import { type ArenaLayout, type ArenaSize, arenaLayout, PAGE_BYTES } from './arena-layout.ts';
import { type ClayShape, clayGeometry } from './clay/geometry.ts';
import { columnMates } from './clay/repair.ts';
import { checkClay } from './clay/room.ts';
import { decodeSchedule, repairSchedule, updateSchedule } from './clay/schedule-cache.ts';
import { KernelMode, type KernelVariant, supportedVariants } from './kernel/kernel.ts';
import { decodeProgram, encodeProgram, updateProgram } from './kernel/program-cache.ts';
import { checkIndices, checkShape, isCount, refuse, type StripeShape } from './parameters.ts';

export interface ArenaOptions extends ArenaSize {
  /** Default: the fastest that this engine supports. */
  readonly variant?: KernelVariant;
  /** The memory of an arena of the same size that nobody else uses any more: another thread's. Default: memory of its own. */
  readonly memory?: WebAssembly.Memory;
}

export interface ReconstructRequest extends StripeShape {
  /** Indices of the shards whose slots hold valid bytes: at least k, in any order. Which k are read is not defined. */
  readonly present: readonly number[];
  /** Indices to make, none of them present. */
  readonly wanted: readonly number[];
}

export interface UpdateRequest extends StripeShape {
  /** The primary shard that changed: its slot holds the new bytes, the start of `scratch` the old ones. */
  readonly index: number;
}

export interface RepairRequest extends StripeShape {
  readonly helpers: number;
  /** The shard to make. */
  readonly lost: number;
  /** The shards that help, as `repairHelpers` chose them. Of their slots only the bytes of `repairRange` are read. */
  readonly from: readonly number[];
}

/**
 * One WebAssembly memory that holds the shards of one stripe and the kernel's tables. Slot i is shard i of the stripe:
 * primaries in 0 … k − 1, parity in k … k + m − 1. The memory is shared, so other threads may read and fill the slots
 * in place, but only one thread at a time may use the arena itself. All methods throw CODE_PARAMETERS, naming the
 * culprit, before they write anything.
 */
export class StripeArena {
  readonly variant: KernelVariant;
  readonly memory: WebAssembly.Memory;
  /** `scratchBytes` long, 64-byte aligned, for the caller; no method writes to it. */
  readonly scratch: Uint8Array;
  readonly #size: ArenaSize;
  readonly #layout: ArenaLayout;
  readonly #kernel: ArenaKernel;

  private constructor(
    size: ArenaSize,
    layout: ArenaLayout,
    variant: KernelVariant,
    memory: WebAssembly.Memory,
  ) {
    this.#size = size;
    this.#layout = layout;
    this.#kernel = new ArenaKernel(variant, memory, layout);
    this.variant = variant;
    this.memory = memory;
    this.scratch = Buffer.from(memory.buffer, layout.scratch, size.scratchBytes ?? 0);
  }

  /** CODE_PARAMETERS also when the variant is not supported here or there is no memory of that size to be had. */
  static create(options: ArenaOptions): StripeArena {
    const layout = arenaLayout(options);
    const variant = options.variant ?? supportedVariants()[0]!;
    if (!supportedVariants().includes(variant)) {
      refuse(`This engine does not support the ${variant} kernel.`, { variant });
    }
    const memory = options.memory ?? allocate(layout.pages);
    if (memory.buffer.byteLength !== layout.pages * PAGE_BYTES) {
      refuse(
        `An arena of this size needs ${layout.pages * PAGE_BYTES} bytes; the memory has ${memory.buffer.byteLength}.`,
        { pages: layout.pages },
      );
    }
    return new StripeArena({ ...options }, layout, variant, memory);
  }

  /** A view of slot i, `bytes` long (default: the whole slot). */
  shard(index: number, bytes: number = this.#size.shardBytes): Uint8Array {
    const offset = this.shardOffset(index);
    if (!isCount(bytes, 0, this.#size.shardBytes)) {
      refuse(`Slot ${index} has ${this.#size.shardBytes} bytes, not ${bytes}.`, { index, bytes });
    }
    return Buffer.from(this.memory.buffer, offset, bytes);
  }

  /** Where slot i begins in `memory`. A multiple of 64. */
  shardOffset(index: number): number {
    if (!isCount(index, 0, this.#size.shards - 1)) {
      refuse(`There is no slot ${index}; the arena has slots 0 to ${this.#size.shards - 1}.`, { index });
    }
    return this.#kernel.slot(index);
  }

  /** Makes all parity shards from the primaries. */
  encode(shape: StripeShape): void {
    this.#parity(shape, KernelMode.store);
  }

  /** Whether all parity shards agree with the primaries. Changes nothing. */
  verify(shape: StripeShape): boolean {
    return this.#parity(shape, KernelMode.verify) === 0;
  }

  /** Makes the wanted shards, and nothing else, from k of those present. TOO_FEW_SHARDS. */
  reconstruct({ present, wanted, ...shape }: ReconstructRequest): void {
    const clay = this.#check(shape);
    const { k, m, bytes } = shape;
    checkIndices('present', present, k + m);
    checkIndices('wanted', wanted, k + m);
    const both = wanted.find((index) => present.includes(index));
    if (both !== undefined) refuse(`wanted: shard ${both} is also given as present.`, { index: both });
    if (present.length < k) {
      throw new HoldfastError('TOO_FEW_SHARDS', `${present.length} shards are present and ${k} are needed.`, {
        details: { present: present.length, k },
      });
    }
    if (wanted.length === 0) return;
    const ascending = [...present].sort((a, b) => a - b);
    if (clay) {
      const request = { present: ascending, wanted, mode: KernelMode.store };
      this.#kernel.follow(decodeSchedule(clay, request), bytes);
    } else this.#kernel.run(decodeProgram(k, ascending, wanted), KernelMode.store, bytes);
  }

  /**
   * Makes one lost shard of a Clay code from the parts that `repairRange` names of the shards that `repairHelpers` chose.
   * Nothing tells a wrong byte among them: compare the result's hash.
   */
  repair({ lost, from, ...shape }: RepairRequest): void {
    const clay = this.#check(shape);
    const { k, m, bytes, helpers } = shape;
    if (!clay)
      refuse(`Plain Reed–Solomon repairs nothing from parts of shards: use reconstruct.`, { helpers });
    checkIndices('lost', [lost], k + m);
    checkIndices('from', from, k + m);
    if (from.includes(lost)) refuse(`from: shard ${lost} is the lost one.`, { index: lost });
    if (from.length !== helpers) refuse(`${from.length} shards help; ${helpers} are needed.`, { helpers });
    const mate = columnMates(clayGeometry(clay), lost).find((index) => !from.includes(index));
    if (mate !== undefined)
      refuse(`from: shard ${lost} cannot be repaired without shard ${mate}.`, { index: mate });
    const ascending = [...from].sort((a, b) => a - b);
    this.#kernel.follow(repairSchedule(clay, lost, ascending), bytes);
  }

  /** Brings valid parity shards up to date after one primary changed, reading only that one's old and new bytes. */
  updateParity({ index, ...shape }: UpdateRequest): void {
    const clay = this.#check(shape);
    const { k, m, bytes } = shape;
    if (!isCount(index, 0, k - 1)) refuse(`There is no primary shard ${index}; k is ${k}.`, { index, k });
    if (this.scratch.length < bytes) {
      refuse(`The scratch region has ${this.scratch.length} bytes; the old shard needs ${bytes}.`, { bytes });
    }
    const old = this.#layout.scratch;
    if (clay) this.#kernel.follow(updateSchedule(clay, index), bytes, { index: k + m, address: old });
    else this.#kernel.run(updateProgram(k, m, index), KernelMode.add, bytes, [this.shardOffset(index), old]);
  }

  /** 1 when `mode` is verify and something differs. */
  #parity(shape: StripeShape, mode: KernelMode): number {
    const clay = this.#check(shape);
    const { k, m, bytes } = shape;
    if (!clay) return this.#kernel.run(encodeProgram(k, m), mode, bytes);
    const all = Array.from({ length: k + m }, (_, index) => index);
    const request = { present: all.slice(0, k), wanted: all.slice(k), mode };
    return this.#kernel.follow(decodeSchedule(clay, request), bytes);
  }

  /** Null for plain Reed–Solomon. */
  #check(shape: StripeShape): ClayShape | null {
    checkShape(shape, this.#size.shards, this.#size.shardBytes);
    const { k, m, bytes, helpers = 0 } = shape;
    if (helpers === 0) return null;
    checkClay({ k, m, helpers }, bytes, this.#layout);
    return { k, m, helpers };
  }
}

function allocate(pages: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (error) {
    throw new HoldfastError(
      'CODE_PARAMETERS',
      `No memory of ${pages * PAGE_BYTES} bytes could be had for an arena.`,
      {
        hint: 'Use fewer workers or a smaller code.',
        cause: error,
        details: { pages },
      },
    );
  }
}
