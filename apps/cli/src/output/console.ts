import type { HoldfastError } from '@holdfast/contracts';
import { EXIT, type ExitCode, exitCodeOf } from '../exit-codes.ts';
import { type Colors, colorsFor } from './colors.ts';
import { errorJson, errorLines } from './errors.ts';
import { toJson } from './json.ts';
import { Progressing } from './progress.ts';

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
}

/**
 * Where words go. Results: standard output, as lines or (`--json`) as exactly one value, errors included. Whatever
 * happens on the way (notes, warnings, progress): standard error, silenced by `--quiet` but for errors.
 */
export class Console {
  readonly json: boolean;
  readonly quiet: boolean;
  /** For lines on standard output. */
  readonly colors: Colors;
  /** For lines on standard error. */
  readonly noteColors: Colors;
  readonly progress: Progressing;

  constructor(options: OutputOptions, environment: NodeJS.ProcessEnv = process.env) {
    this.json = options.json;
    this.quiet = options.quiet;
    this.colors = colorsFor(process.stdout, environment);
    this.noteColors = colorsFor(process.stderr, environment);
    this.progress = new Progressing(process.stderr, this.noteColors, options.quiet);
  }

  /** What was asked for, also under `--quiet`. `lines` is called only when people read it. */
  result(value: unknown, lines: () => readonly string[]): void {
    this.progress.clear();
    process.stdout.write(`${this.json ? toJson(value) : lines().join('\n')}\n`);
  }

  /** What was done; under `--quiet`, no news is good news. */
  done(value: unknown, lines: () => readonly string[]): void {
    if (this.json || !this.quiet) this.result(value, lines);
  }

  /**
   * A result that came with a failure (null: with none). JSON keeps the rule "an `error` member means a non-zero exit
   * code, and the other way round".
   */
  outcome(value: object, lines: () => readonly string[], failure: HoldfastError | null): ExitCode {
    if (!failure) {
      this.done(value, lines);
      return EXIT.ok;
    }
    this.result(this.json ? { ...value, ...errorJson(failure) } : value, lines);
    if (!this.json) this.fail(failure);
    return exitCodeOf(failure.code);
  }

  note(line: string): void {
    if (!this.quiet) this.progress.above(line);
  }

  warn(line: string): void {
    if (!this.quiet) this.progress.above(`${this.noteColors.yellow('Warning:')} ${line}`);
  }

  fail(error: HoldfastError): void {
    this.progress.clear();
    if (this.json) {
      process.stdout.write(`${toJson(errorJson(error))}\n`);
      return;
    }
    const debug = Boolean(process.env.HOLDFAST_DEBUG);
    for (const line of errorLines(error, this.noteColors, debug)) process.stderr.write(`${line}\n`);
  }
}
