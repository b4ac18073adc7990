import type { Progress } from '@holdfast/engine';
import { formatBytes, formatRate } from '../units/bytes.ts';
import { formatCount } from '../units/count.ts';
import { formatClock } from '../units/duration.ts';
import { formatPercent } from '../units/fraction.ts';
import type { Colors } from './colors.ts';
import { SpeedMeter } from './speed.ts';

interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const REDRAW_MS = 100;
/** Without a terminal: often enough to see that it lives, seldom enough for a log file. */
const LINE_MS = 10_000;
const BAR = 24;
/** Before so much is done, the time left would be a guess that misleads. */
const ENOUGH = 0.03;

const PHASES: Readonly<Record<Progress['phase'], string>> = {
  prepare: 'preparing',
  resume: 'resuming',
  transfer: '',
  manifest: 'writing the manifest',
  finish: 'finishing',
};

/**
 * One line that redraws itself on a terminal; a line every ten seconds elsewhere. Other lines are printed above it.
 */
export class Progressing {
  readonly #stream: ProgressStream;
  readonly #colors: Colors;
  readonly #quiet: boolean;
  readonly #live: boolean;
  #label = '';
  #speed = new SpeedMeter();
  #shown = '';
  #lastAt = 0;

  constructor(stream: ProgressStream, colors: Colors, quiet: boolean) {
    this.#stream = stream;
    this.#colors = colors;
    this.#quiet = quiet;
    this.#live = stream.isTTY === true;
  }

  /** Begins a new line of progress; returns what the engine calls. */
  start(label: string, now: () => number = performance.now.bind(performance)): (progress: Progress) => void {
    this.#label = label;
    this.#speed = new SpeedMeter();
    this.#lastAt = now();
    // Before the first figures come in, peers are asked how they are, which takes seconds when one hangs.
    if (this.#live && !this.#quiet) this.#draw(`${label}  asking the peers …`);
    return (progress) => this.#update(progress, now());
  }

  /** The same for work that is counted in things; returns what is to be called with how many of how many are done. */
  count(
    label: string,
    noun: string,
    now: () => number = performance.now.bind(performance),
  ): (done: number, total: number) => void {
    this.#lastAt = now();
    return (done, total) => {
      if (this.#quiet || now() - this.#lastAt < (this.#live ? REDRAW_MS : LINE_MS)) return;
      this.#lastAt = now();
      this.#show(countText(label, noun, done, total, this.#live ? this.#colors : null));
    };
  }

  /** Prints a line without disturbing the live one. */
  above(line: string): void {
    const shown = this.#shown;
    this.clear();
    this.#stream.write(`${line}\n`);
    if (shown !== '') this.#draw(shown);
  }

  /** Takes the live line away: something else is printed next, or the work is over. */
  clear(): void {
    if (this.#shown !== '') this.#stream.write('\r\u001b[2K');
    this.#shown = '';
  }

  #update(progress: Progress, now: number): void {
    if (this.#quiet) return;
    this.#speed.add(progress.bytes, now);
    if (now - this.#lastAt < (this.#live ? REDRAW_MS : LINE_MS)) return;
    this.#lastAt = now;
    const text = progressText(
      this.#label,
      progress,
      this.#speed.bytesPerSecond,
      this.#live ? this.#colors : null,
    );
    this.#show(text);
  }

  #show(text: string): void {
    if (this.#live) this.#draw(text);
    else this.#stream.write(`${text}\n`);
  }

  #draw(text: string): void {
    this.#shown = text;
    // A line as wide as the terminal would wrap and could not be taken back; colours are cut with their text.
    // Some terminals (serial lines, `script`) say that they have 0 columns: they do not know.
    this.#stream.write(`\r\u001b[2K${fit(text, (this.#stream.columns || 80) - 1)}`);
  }
}

/** `app  ██████░░░░  43 %  88.1 / 204 MiB  152 MiB/s  sent 61 MiB  0:03 left`; no bar where `colors` is null. */
export function progressText(
  label: string,
  progress: Progress,
  speed: number,
  colors: Colors | null,
): string {
  const { bytes, totalBytes, transferredBytes } = progress;
  const parts = [label];
  if (totalBytes !== null && totalBytes > 0) {
    const fraction = Math.min(1, bytes / totalBytes);
    if (colors) parts.push(bar(fraction, colors));
    parts.push(formatPercent(fraction).padStart(5), `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`);
  } else {
    parts.push(formatBytes(bytes));
  }
  if (PHASES[progress.phase] !== '') return [...parts, PHASES[progress.phase]].join('  ');
  parts.push(formatRate(speed, 1), `${formatBytes(transferredBytes)} over the wire`);
  if (totalBytes !== null && speed > 0 && bytes > totalBytes * ENOUGH) {
    parts.push(`${formatClock(((totalBytes - bytes) / speed) * 1000)} left`);
  }
  return parts.join('  ');
}

/** `checking  ██████░░░░  43 %  430 of 1 000 placements`; no bar where `colors` is null. */
export function countText(
  label: string,
  noun: string,
  done: number,
  total: number,
  colors: Colors | null,
): string {
  const fraction = total > 0 ? Math.min(1, done / total) : 1;
  const parts = [
    label,
    formatPercent(fraction).padStart(5),
    `${formatCount(done)} of ${formatCount(total, noun)}`,
  ];
  if (colors) parts.splice(1, 0, bar(fraction, colors));
  return parts.join('  ');
}

function bar(fraction: number, colors: Colors): string {
  const full = Math.round(fraction * BAR);
  return colors.cyan('█'.repeat(full)) + colors.dim('░'.repeat(BAR - full));
}

/** Cuts to `columns` visible characters; escape sequences count nothing and are all kept. */
function fit(text: string, columns: number): string {
  let visible = 0;
  let cut = '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the escape sequences themselves
  for (const piece of text.match(/\u001b\[[0-9;]*m|./gsu) ?? []) {
    if (piece.startsWith('\u001b')) cut += piece;
    else if (visible++ < columns) cut += piece;
  }
  return cut;
}
