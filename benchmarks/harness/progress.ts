/** A line that always shows: what cannot be had, and what that means. */
export const tell = (line: string): void => void process.stderr.write(`${clear()}${line}\n`);

/** What is going on, in one line that the next one replaces; for people only. */
export function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${clear()}${line}`);
}

/** Takes the last such line away. */
export const endProgress = (): void => progress('');

const clear = (): string => (process.stderr.isTTY ? '\r\x1b[K' : '');
