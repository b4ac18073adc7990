import { Coverage } from './coverage.ts';
import { Dice } from './dice.ts';
import { mutate } from './mutate.ts';
import type { Target } from './target.ts';
import { trial, type Verdict } from './trial.ts';

export interface Finding {
  readonly target: string;
  readonly seed: number;
  /** Counted from 1; seeds come first. */
  readonly run: number;
  readonly reason: string;
  readonly input: Uint8Array;
}

export interface CampaignTotals {
  runs: number;
  accepted: number;
  refused: number;
  corpus: number;
  /** Characters of source text that ran. */
  reached: number;
}

export interface CampaignOptions {
  readonly seed: number;
  /** Runs that look for inputs which reach new code; costs some speed, and keeps growing the corpus. */
  readonly guided: boolean;
  /** False where nothing may depend on how quick the machine is. Default true. */
  readonly timed?: boolean;
  /** Asked before each run. */
  readonly goesOn: (totals: CampaignTotals) => boolean;
  /** Called before each run: what is under way should this one never end. */
  readonly begins?: (run: number, input: Uint8Array) => void;
  /** After each run: a chance for other tasks. A batch of slow ones takes longer than a watcher is patient. */
  readonly pause?: (totals: CampaignTotals) => Promise<void>;
}

const BATCH = 64;
/** Inputs grow to this, or to twice the longest seed. */
const USUAL_BYTES = 4096;
/** One defect shows in many inputs. */
const MOST_FINDINGS = 10;

/** Mutated inputs against one target, one after the other. */
export class Campaign {
  readonly totals: CampaignTotals = { runs: 0, accepted: 0, refused: 0, corpus: 0, reached: 0 };
  readonly findings: Finding[] = [];
  readonly #target: Target;
  readonly #options: CampaignOptions;
  readonly #dice: Dice;
  readonly #coverage: Coverage | null;

  constructor(target: Target, options: CampaignOptions) {
    this.#target = target;
    this.#options = options;
    this.#dice = new Dice(`fuzz ${options.seed} ${target.name}`);
    this.#coverage = options.guided && target.guided !== false ? new Coverage() : null;
  }

  async run(): Promise<void> {
    try {
      await this.#run();
    } finally {
      this.#coverage?.close();
    }
  }

  async #run(): Promise<void> {
    const corpus = [...(await this.#target.seeds())];
    const most = Math.max(USUAL_BYTES, ...corpus.map((input) => 2 * input.length));
    let goesOn = await this.#batch(corpus, () => {});
    while (goesOn) {
      const inputs = Array.from({ length: BATCH }, () => mutate(this.#target, corpus, this.#dice, most));
      goesOn = await this.#batch(inputs, (kept) => corpus.push(kept));
    }
  }

  /** False when it is time to stop. */
  async #batch(inputs: readonly Uint8Array[], keep: (input: Uint8Array) => void): Promise<boolean> {
    const done = await this.#tryAll(inputs);
    for (const input of await this.#reachNew(inputs.slice(0, done))) {
      keep(input);
      this.totals.corpus++;
    }
    return done === inputs.length;
  }

  /** How many were tried before it was time to stop. */
  async #tryAll(inputs: readonly Uint8Array[]): Promise<number> {
    for (const [done, input] of inputs.entries()) {
      if (!this.#options.goesOn(this.totals) || this.findings.length >= MOST_FINDINGS) return done;
      this.totals.runs++;
      this.#options.begins?.(this.totals.runs, input);
      const verdict = await this.#try(input);
      if (verdict !== null) this.totals[verdict]++;
      await this.#options.pause?.(this.totals);
    }
    return inputs.length;
  }

  async #try(input: Uint8Array): Promise<Verdict | null> {
    try {
      return await trial(this.#target, input, this.#options);
    } catch (error) {
      const { seed } = this.#options;
      const reason = error instanceof Error ? (error.stack ?? String(error)) : String(error);
      this.findings.push({ target: this.#target.name, seed, run: this.totals.runs, reason, input });
      return null;
    }
  }

  /** Those that reach what none before them did. They have been judged already. */
  async #reachNew(inputs: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const coverage = this.#coverage;
    const together = coverage?.read();
    if (!coverage || !together || !coverage.isNew(together)) return [];
    const found = await this.#search(coverage, inputs);
    // Also what ran the first time only, such as the filling of a cache: once is enough to know of it.
    coverage.note(together);
    this.totals.reached = coverage.reached;
    return found;
  }

  /** By halves, since most of them reach nothing new. */
  async #search(coverage: Coverage, inputs: readonly Uint8Array[]): Promise<Uint8Array[]> {
    for (const input of inputs) await trial(this.#target, input).catch(() => {});
    const reading = coverage.read();
    if (!coverage.isNew(reading)) return [];
    if (inputs.length === 1) {
      coverage.note(reading);
      return [...inputs];
    }
    const half = inputs.length >> 1;
    return [
      ...(await this.#search(coverage, inputs.slice(0, half))),
      ...(await this.#search(coverage, inputs.slice(half))),
    ];
  }
}
