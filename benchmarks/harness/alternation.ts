import { median } from './report.ts';

/** One piece of work by one program, that can be repeated. */
export interface Contender {
  readonly name: string;
  /** Nanoseconds that it took to do it that many times. */
  run(times: number): Promise<number>;
}

export interface Rounds {
  readonly rounds: number;
  /** The least that a batch, a contender's turn in a round, shall take. */
  readonly milliseconds: number;
}

/** Nanoseconds for doing it once, a number a round, by contender. */
export type Times = ReadonlyMap<string, readonly number[]>;

/**
 * In each round every contender has one turn, so that whatever else the machine does falls on all of them; who begins
 * changes from round to round. Before that each has run twice as long as a turn: memory has been touched, code is compiled.
 */
export async function alternate(contenders: readonly Contender[], options: Rounds): Promise<Times> {
  const batches = new Map<Contender, number>();
  for (const contender of contenders) batches.set(contender, await warmUp(contender, options.milliseconds));
  const times = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(round + turn) % contenders.length]!;
      const batch = batches.get(contender)!;
      times.get(contender.name)!.push((await contender.run(batch)) / batch);
    }
  }
  return times;
}

/** How many repetitions make a batch. */
async function warmUp(contender: Contender, milliseconds: number): Promise<number> {
  const enough = milliseconds * 1e6;
  let spent = 0;
  for (let batch = 1; ; ) {
    const time = await contender.run(batch);
    spent += time;
    // The first batches are slower than what follows, so this errs on the side of too short a batch, by little.
    if (time >= enough && spent >= 2 * enough) return batch;
    batch = Math.max(batch, Math.ceil((batch * enough) / Math.max(time, 1)), time < enough ? batch + 1 : 0);
  }
}

/**
 * How much better the first is: the median of the rounds' ratios. A ratio of medians would compare times of different
 * rounds, and on a machine that others use too those differ by more than the contenders do.
 */
export function medianRatio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((time, round) => theirs[round]! / time));
}

export const MiB = 2 ** 20;

export const mibPerSecond = (bytes: number, nanoseconds: number): number => bytes / MiB / (nanoseconds / 1e9);
