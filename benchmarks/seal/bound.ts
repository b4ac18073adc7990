import type { Contender, Times } from '../harness/alternation.ts';
import { median, type Result, rounded } from '../harness/report.ts';

type Params = Result['params'];

/** Of each round, the time of the primitives one after the other. */
export function boundOf(times: Times, primitives: readonly Contender[]): number[] {
  const columns = primitives.map(({ name }) => times.get(name)!);
  return columns[0]!.map((_, round) => columns.reduce((sum, column) => sum + column[round]!, 0));
}

/** What each part comes to of them all, in per cent. */
export function shares(prefix: string, params: Params, parts: ReadonlyMap<string, number>): Result[] {
  const all = [...parts.values()].reduce((sum, part) => sum + part, 0);
  return [...parts].map(([name, part]) => ({
    name: `${prefix}${name}`,
    params,
    value: rounded((100 * part) / all),
    unit: '%',
    ratios: {},
  }));
}

export const mediansOf = (times: Times, contenders: readonly Contender[]): Map<string, number> =>
  new Map(contenders.map(({ name }) => [name, median(times.get(name)!)]));
