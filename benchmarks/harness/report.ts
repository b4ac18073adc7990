import { arch, cpus, release, totalmem } from 'node:os';

export interface Result {
  readonly name: string;
  readonly params: Readonly<Record<string, string | number | boolean>>;
  readonly value: number;
  readonly unit: string;
  /** Ours against a peer's in the same run: above 1 means that Holdfast is the better of the two. */
  readonly ratios: Readonly<Record<string, number>>;
}

export interface BenchReport {
  readonly bench: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly results: readonly Result[];
}

export const machine = (): Record<string, string | number> => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: `${process.platform} ${release()} ${arch()}`,
  node: process.version,
});

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Three significant digits: what a measurement on a shared machine is worth. */
export const rounded = (value: number): number => Number(value.toPrecision(3));

/** For people: a line a result, under a heading wherever the parameters change; ratios at the end. */
export function reportLines(report: BenchReport): string[] {
  const widest = (cell: (result: Result) => string): number =>
    Math.max(0, ...report.results.map((result) => cell(result).length));
  const value = (result: Result): string => `${result.value} ${result.unit}`;
  const [names, values] = [widest((result) => result.name), widest(value)];
  const lines = [`${report.bench} on ${facts(report.machine)}`];
  let heading = '';
  for (const result of report.results) {
    const params = facts(result.params);
    if (params !== heading) lines.push('', params);
    heading = params;
    const ratios = Object.entries(result.ratios).map(([peer, ratio]) => `${ratio}× ${peer}`);
    lines.push(
      `  ${result.name.padEnd(names)}  ${value(result).padStart(values)}  ${ratios.join(', ')}`.trimEnd(),
    );
  }
  return lines;
}

const facts = (record: Readonly<Record<string, string | number | boolean>>): string =>
  Object.entries(record)
    .map(([key, fact]) => `${key}: ${fact}`)
    .join(', ');

/** One object on standard output with `--json`, else the table. */
export function print(report: BenchReport, json: boolean): void {
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${reportLines(report).join('\n')}\n`);
}
