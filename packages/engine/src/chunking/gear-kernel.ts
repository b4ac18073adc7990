import { readFileSync } from 'node:fs';

/** Functions as in assembly/gear.ts. */
interface GearExports {
  readonly memory: WebAssembly.Memory;
  configure(before: bigint, after: bigint): void;
  warm(from: number, to: number): void;
  scan(from: number, to: number, after: boolean): number;
}

let compiled: WebAssembly.Module | undefined;

function instantiate(): GearExports {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('./gear.wasm', import.meta.url)));
  return new WebAssembly.Instance(compiled).exports as unknown as GearExports;
}

/** The memory's second page; the first begins with the table. */
const WINDOW_AT = 65_536;
export const WINDOW_BYTES = 65_536;

/** One running hash, and the window of content that it looks at. */
export class GearKernel {
  readonly #exports = instantiate();
  readonly #window = new Uint8Array(this.#exports.memory.buffer, WINDOW_AT, WINDOW_BYTES);

  constructor(table: Uint8Array, thresholdBefore: bigint, thresholdAfter: bigint) {
    new Uint8Array(this.#exports.memory.buffer).set(table);
    this.#exports.configure(thresholdBefore, thresholdAfter);
  }

  /** Starts afresh with a few bytes, at most a window. */
  warm(bytes: Uint8Array): void {
    this.#window.set(bytes);
    this.#exports.warm(WINDOW_AT, WINDOW_AT + bytes.length);
  }

  /** Goes on with at most a window of bytes. How many of them end with the first border; null when there is none. */
  scan(bytes: Uint8Array, afterNormal: boolean): number | null {
    this.#window.set(bytes);
    const end = this.#exports.scan(WINDOW_AT, WINDOW_AT + bytes.length, afterNormal);
    return end === 0 ? null : end - WINDOW_AT;
  }
}
