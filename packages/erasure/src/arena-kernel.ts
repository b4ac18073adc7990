import { HoldfastError } from '@holdfast/contracts';
import type { ArenaLayout } from './arena-layout.ts';
import { relocate, type Schedule } from './clay/compile.ts';
import { CLAY_BLOCK_BYTES } from './clay/geometry.ts';
import { blockBytes } from './kernel/blocking.ts';
import { instantiate, type KernelFunctions, type KernelMode, type KernelVariant } from './kernel/kernel.ts';
import type { Program } from './kernel/program.ts';

/** The slot behind the last one in a schedule's terms, which is somewhere else. */
export interface ExtraSlot {
  readonly index: number;
  readonly address: number;
}

/** The kernel over one arena's memory. Callers have checked everything: no address comes from anywhere but the layout. */
export class ArenaKernel {
  readonly #memory: WebAssembly.Memory;
  readonly #layout: ArenaLayout;
  readonly #kernel: KernelFunctions;
  /** What the tables in memory belong to. */
  #loaded: Program | Schedule | null = null;
  #scheduleEnd = 0;

  constructor(variant: KernelVariant, memory: WebAssembly.Memory, layout: ArenaLayout) {
    this.#memory = memory;
    this.#layout = layout;
    this.#kernel = instantiate(variant, memory);
  }

  slot(index: number): number {
    return this.#layout.slots + index * this.#layout.stride;
  }

  /** @param inputAddresses default: the slots of the program's inputs. */
  run(program: Program, mode: KernelMode, bytes: number, inputAddresses?: readonly number[]): number {
    const { inputs, outputs, tables } = this.#layout;
    const [k, rows] = [program.inputs.length, program.outputs.length];
    const slot = (index: number): number => this.slot(index);
    this.#words(inputs, k).set(inputAddresses ?? program.inputs.map(slot));
    this.#words(outputs, rows).set(program.outputs.map(slot));
    if (this.#loaded !== program) {
      this.#bytes(tables, program.tables.length).set(program.tables);
      this.#loaded = program;
    }
    const block = blockBytes(k);
    return this.#kernel.run(mode, rows, program.xorFirst, k, tables, inputs, outputs, bytes, block);
  }

  follow(schedule: Schedule, bytes: number, extraSlot?: ExtraSlot): number {
    const { schedule: steps, slots, inputs, outputs } = this.#layout;
    if (this.#loaded !== schedule) this.#load(schedule, extraSlot);
    const blocks = bytes / CLAY_BLOCK_BYTES;
    return this.#kernel.runSchedule(
      steps,
      this.#scheduleEnd,
      slots,
      blocks,
      CLAY_BLOCK_BYTES,
      inputs,
      outputs,
    );
  }

  #load(loading: Schedule, extraSlot?: ExtraSlot): void {
    const { tables, schedule, workspace, slots } = this.#layout;
    const shard = (index: number): number =>
      extraSlot?.index === index ? extraSlot.address : this.slot(index);
    const words = relocate(loading, { shard, workspace, tables });
    if (tables + loading.tables.length > schedule || schedule + words.byteLength > workspace) {
      throw new HoldfastError('INTERNAL', 'A schedule is longer than its arena has room for.');
    }
    this.#bytes(tables, loading.tables.length).set(loading.tables);
    this.#words(schedule, words.length).set(words);
    // Cells that a schedule never writes count as zero.
    this.#bytes(workspace, slots - workspace).fill(0);
    this.#scheduleEnd = schedule + words.byteLength;
    this.#loaded = loading;
  }

  #bytes(offset: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, offset, length);
  }

  #words(offset: number, length: number): Uint32Array {
    return new Uint32Array(this.#memory.buffer, offset, length);
  }
}
