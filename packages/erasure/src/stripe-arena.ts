import { HoldfastError } from '@holdfast/contracts';
import { type ArenaLayout, type ArenaSize, arenaLayout, PAGE_BYTES } from './arena-layout.ts';
import { blocking } from './kernel/blocking.ts';
import {
  instantiate,
  KernelMode,
  type KernelVariant,
  type RunKernel,
  supportedVariants,
} from './kernel/kernel.ts';
import type { Program } from './kernel/program.ts';
import { decodeProgram, encodeProgram, updateProgram } from './kernel/program-cache.ts';
import { checkIndices, checkShape, isCount, refuse, type StripeShape } from './parameters.ts';

export interface ArenaOptions extends ArenaSize {
  /** Default: the fastest that this engine supports. */
  readonly variant?: KernelVariant;
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
  readonly #size: Required<ArenaSize>;
  readonly #layout: ArenaLayout;
  readonly #run: RunKernel;
  /** The program whose tables are in memory now. */
  #loaded: Program | null = null;

  private constructor(
    size: Required<ArenaSize>,
    layout: ArenaLayout,
    variant: KernelVariant,
    memory: WebAssembly.Memory,
    run: RunKernel,
  ) {
    this.#size = size;
    this.#layout = layout;
    this.#run = run;
    this.variant = variant;
    this.memory = memory;
    this.scratch = Buffer.from(memory.buffer, layout.scratch, size.scratchBytes);
  }

  /** CODE_PARAMETERS also when the variant is not supported here or there is no memory of that size to be had. */
  static create(options: ArenaOptions): StripeArena {
    const size = {
      shards: options.shards,
      shardBytes: options.shardBytes,
      scratchBytes: options.scratchBytes ?? 0,
    };
    const layout = arenaLayout(size);
    const variant = options.variant ?? supportedVariants()[0]!;
    if (!supportedVariants().includes(variant)) {
      refuse(`This engine does not support the ${variant} kernel.`, { variant });
    }
    const memory = allocate(layout.pages);
    const run = instantiate(variant, memory);
    return new StripeArena(size, layout, variant, memory, run);
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
    return this.#layout.slots + index * this.#layout.stride;
  }

  /** Makes all parity shards from the primaries. */
  encode(shape: StripeShape): void {
    this.#check(shape);
    this.#execute(encodeProgram(shape.k, shape.m), KernelMode.store, shape.bytes);
  }

  /** Makes the wanted shards, and nothing else, from k of those present. TOO_FEW_SHARDS. */
  reconstruct({ k, m, bytes, present, wanted }: ReconstructRequest): void {
    this.#check({ k, m, bytes });
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
    this.#execute(decodeProgram(k, ascending, wanted), KernelMode.store, bytes);
  }

  /** Whether all parity shards agree with the primaries. Changes nothing. */
  verify(shape: StripeShape): boolean {
    this.#check(shape);
    return this.#execute(encodeProgram(shape.k, shape.m), KernelMode.verify, shape.bytes) === 0;
  }

  /** Brings valid parity shards up to date after one primary changed, reading only that one's old and new bytes. */
  updateParity({ k, m, bytes, index }: UpdateRequest): void {
    this.#check({ k, m, bytes });
    if (!isCount(index, 0, k - 1)) refuse(`There is no primary shard ${index}; k is ${k}.`, { index, k });
    if (this.#size.scratchBytes < bytes) {
      refuse(`The scratch region has ${this.#size.scratchBytes} bytes; the old shard needs ${bytes}.`, {
        bytes,
      });
    }
    const inputs = [this.shardOffset(index), this.#layout.scratch];
    this.#execute(updateProgram(k, m, index), KernelMode.add, bytes, inputs);
  }

  #check(shape: StripeShape): void {
    checkShape(shape, this.#size.shards, this.#size.shardBytes);
  }

  #execute(program: Program, mode: KernelMode, bytes: number, inputAddresses?: readonly number[]): number {
    const { inputs, outputs, tables } = this.#layout;
    const k = program.inputs.length;
    const addressOf = (index: number): number => this.shardOffset(index);
    new Uint32Array(this.memory.buffer, inputs, k).set(inputAddresses ?? program.inputs.map(addressOf));
    new Uint32Array(this.memory.buffer, outputs, program.outputs.length).set(program.outputs.map(addressOf));
    if (this.#loaded !== program) {
      new Uint8Array(this.memory.buffer, tables, program.tables.length).set(program.tables);
      this.#loaded = program;
    }
    const rows = program.outputs.length;
    const { block, swept } = blocking(k, rows, bytes);
    return this.#run(mode, rows, program.xorFirst, k, tables, inputs, outputs, bytes, block, swept);
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
