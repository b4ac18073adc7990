import { type Profiler, Session } from 'node:inspector';

export type Reading = readonly Profiler.ScriptCoverage[];

/** Node's own, and ours that only drive the fuzzing, say nothing about what an input reached. */
const counts = (url: string): boolean => url.startsWith('file:') && !/\/(tools|test)\//.test(url);

/**
 * Which source text has run, from V8's own counters: they cost next to nothing while code runs, and a quarter of a
 * millisecond to read. Hence it is read after many inputs, and after each of them only when they reached something new.
 */
export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Map<string, Uint8Array>();
  #reached = 0;

  constructor() {
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Characters of source text that have run so far. */
  get reached(): number {
    return this.#reached;
  }

  /** What has run since the last call. */
  read(): Reading {
    const { result } = this.#post('Profiler.takePreciseCoverage') as Profiler.TakePreciseCoverageReturnType;
    return result.filter(({ url }) => counts(url));
  }

  /** Whether any of it never ran before, as far as noted. */
  isNew(reading: Reading): boolean {
    return this.#paint(reading, false) > 0;
  }

  note(reading: Reading): void {
    this.#reached += this.#paint(reading, true);
  }

  close(): void {
    this.#session.disconnect();
  }

  #paint(reading: Reading, note: boolean): number {
    let found = 0;
    for (const { url, functions } of reading) {
      for (const { ranges } of functions) found += this.#paintFunction(url, ranges, note);
    }
    return found;
  }

  /** Outer ranges come first; the inner ones say otherwise for their part. */
  #paintFunction(url: string, ranges: readonly Profiler.CoverageRange[], note: boolean): number {
    const { startOffset, endOffset } = ranges[0]!;
    const ran = new Uint8Array(endOffset - startOffset);
    for (const range of ranges)
      ran.fill(range.count > 0 ? 1 : 0, range.startOffset - startOffset, range.endOffset - startOffset);
    const seen = this.#textOf(url, endOffset);
    let found = 0;
    for (let i = 0; i < ran.length; i++) {
      if (ran[i] === 0 || seen[startOffset + i] === 1) continue;
      found++;
      if (note) seen[startOffset + i] = 1;
    }
    return found;
  }

  #textOf(url: string, length: number): Uint8Array {
    const known = this.#seen.get(url) ?? new Uint8Array(0);
    if (known.length >= length) return known;
    const longer = new Uint8Array(2 * length);
    longer.set(known);
    this.#seen.set(url, longer);
    return longer;
  }

  /** On one thread, the answer is there when the call returns. */
  #post(method: string, parameters: object = {}): unknown {
    let answer: unknown;
    let failure: Error | null = null;
    this.#session.post(method, parameters, (error, result) => {
      failure = error;
      answer = result;
    });
    if (failure !== null) throw failure;
    return answer;
  }
}
