import { blockBytes } from '../kernel/blocking.ts';
import { programOf } from '../kernel/program.ts';
import type { Matrix } from '../matrix.ts';
import { type PlaceBases, resolvePlace, type Step } from './steps.ts';

/** As in assembly/schedule.ts: mode, rows, xorFirst, k, tables, bytes, block. */
const HEAD_WORDS = 7;
const TABLES_WORD = 4;

/** Steps in the kernel's terms, for any arena. */
export interface Schedule {
  /** With places for addresses, and offsets in `tables` for those of tables. */
  readonly words: Uint32Array;
  readonly tables: Uint8Array;
}

export function compile(steps: readonly Step[]): Schedule {
  const tables = new TablePool();
  const words = new Uint32Array(steps.reduce((sum, step) => sum + wordsOf(step), 0));
  let at = 0;
  for (const step of steps) {
    const { rows, columns } = step.coefficients;
    const { xorFirst, offset } = tables.place(step.coefficients);
    const block = blockBytes(columns);
    words.set([step.mode, rows, xorFirst ? 1 : 0, columns, offset, step.bytes, block], at);
    words.set(step.inputs, at + HEAD_WORDS);
    words.set(step.outputs, at + HEAD_WORDS + columns);
    at += wordsOf(step);
  }
  return { words, tables: tables.bytes() };
}

/** The schedule for one arena: places become addresses. */
export function relocate({ words }: Schedule, bases: PlaceBases & { readonly tables: number }): Uint32Array {
  const moved = Uint32Array.from(words);
  for (let at = 0; at < words.length; ) {
    const end = at + HEAD_WORDS + words[at + 1]! + words[at + 3]!;
    moved[at + TABLES_WORD] = bases.tables + words[at + TABLES_WORD]!;
    for (let word = at + HEAD_WORDS; word < end; word++) moved[word] = resolvePlace(words[word]!, bases);
    at = end;
  }
  return moved;
}

const wordsOf = ({ inputs, outputs }: Step): number => HEAD_WORDS + inputs.length + outputs.length;

interface PlacedTables {
  readonly offset: number;
  readonly xorFirst: boolean;
}

/** Many steps share few matrices. */
class TablePool {
  readonly #known = new Map<string, PlacedTables>();
  readonly #parts: Uint8Array[] = [];
  #size = 0;

  place(coefficients: Matrix): PlacedTables {
    const key = `${coefficients.rows} ${coefficients.cells}`;
    const known = this.#known.get(key);
    if (known) return known;
    const { xorFirst, tables } = programOf({ inputs: [], outputs: [], coefficients });
    const placed = { offset: this.#size, xorFirst };
    this.#known.set(key, placed);
    this.#parts.push(tables);
    this.#size += tables.length;
    return placed;
  }

  bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts));
  }
}
