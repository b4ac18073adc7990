import { type Colors, colorsFor } from '../../apps/cli/src/output/colors.ts';
import { formatDuration } from '../../apps/cli/src/units/duration.ts';

/** Tells the story line by line; on a terminal in colour, and with a line that moves while something takes its time. */
export class Narrator {
  readonly colors: Colors;
  readonly live: boolean;
  readonly #stream: NodeJS.WriteStream;
  #step = 0;
  #startedAt = 0;
  #shown = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.live = stream.isTTY === true;
    this.colors = colorsFor(stream, process.env);
  }

  line(text = ''): void {
    this.#clear();
    this.#stream.write(`${text}\n`);
  }

  /** Begins the next chapter: what happens now, and why it matters. */
  step(title: string, ...why: readonly string[]): void {
    this.#step++;
    this.#startedAt = performance.now();
    this.line();
    this.line(`${this.colors.cyan(String(this.#step).padStart(2))}  ${this.colors.bold(title)}`);
    for (const text of why) this.line(`    ${text}`);
  }

  /** What a user would type here. */
  command(text: string): void {
    this.line(`    ${this.colors.dim(`$ ${text}`)}`);
  }

  /** Replaced by the next line; nothing at all where nobody looks on. */
  progress(text: string): void {
    if (!this.live) return;
    this.#stream.write(`\r\u001b[2K    ${this.colors.dim(text)}`);
    this.#shown = true;
  }

  fact(text: string): void {
    this.line(`    ${text}`);
  }

  /** Ends a chapter with what came of it, and the time since its beginning. */
  done(text: string): void {
    const took = formatDuration(performance.now() - this.#startedAt);
    this.line(`    ${this.colors.green('✓')} ${text} ${this.colors.dim(`(${took})`)}`);
  }

  #clear(): void {
    if (this.#shown) this.#stream.write('\r\u001b[2K');
    this.#shown = false;
  }
}
