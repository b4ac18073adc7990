import { readFileSync } from 'node:fs';
import type { Token } from './pair-hash.ts';

/** As in assembly/early.ts. */
interface EarlyExports {
  early(count: number, low: number, high: number): number;
}

const PAGE = 65_536;
const COLUMNS = 5;

let compiled: WebAssembly.Module | undefined;

/** Hashes a partition with every peer, several at once, and tells which come out at or below their peer's limit. */
export class EarlyKernel {
  readonly #count: number;
  readonly #exports: EarlyExports;
  readonly #limits: Uint32Array;
  /** By row, of those found: the hash. */
  readonly hashes: Uint32Array;
  readonly rows: Uint32Array;

  constructor(tokenLow: Int32Array, tokenHigh: Int32Array) {
    this.#count = Math.ceil(tokenLow.length / 8) * 8;
    const pages = Math.ceil((this.#count * 4 * COLUMNS) / PAGE) || 1;
    const memory = new WebAssembly.Memory({ initial: pages });
    const column = (n: number): Uint32Array =>
      new Uint32Array(memory.buffer, n * this.#count * 4, this.#count);
    column(0).set(tokenLow);
    column(1).set(tokenHigh);
    this.#limits = column(2);
    this.hashes = column(3);
    this.rows = column(4);
    compiled ??= new WebAssembly.Module(readFileSync(new URL('./early.wasm', import.meta.url)));
    this.#exports = new WebAssembly.Instance(compiled, { env: { memory } })
      .exports as unknown as EarlyExports;
  }

  /** @param limit 0 … 2³² − 1; at 0 a peer may still be found, once in 2³² */
  setLimit(row: number, limit: number): void {
    this.#limits[row] = limit;
  }

  /** How many there are: the first so many of `rows`, ascending. Past the last peer there may be one, once in 2³². */
  scan(partition: Token): number {
    return this.#exports.early(this.#count, partition[0], partition[1]);
  }
}
