import { Dice } from '../dice.ts';
import { attemptArena } from '../kernel/arena.ts';
import { attemptClay, attemptRequest } from '../kernel/attempt.ts';
import { attemptHelpers } from '../kernel/helpers.ts';
import { attemptTurns } from '../kernel/turns.ts';
import type { Target } from '../target.ts';

/** Many, since an edited one mostly chooses as it did before. */
const SEEDS = 1000;

/** Nothing but choices, `bytes` being enough for the largest shape. */
const target = (name: string, bytes: number, attempt: (input: Uint8Array) => void): Target => ({
  name,
  seeds: () => {
    const dice = new Dice(name);
    return Array.from({ length: SEEDS }, () => dice.bytes(bytes));
  },
  refusals: [],
  attempt,
  guided: false,
});

/** The boundary to WebAssembly: odd arguments are refused before a byte is written, good ones give the right bytes only. */
export const kernelTargets: readonly Target[] = [
  target('kernel-arena', 80, attemptArena),
  target('kernel-helpers', 400, attemptHelpers),
  target('kernel', 1200, attemptRequest),
  target('kernel-clay', 700, attemptClay),
  target('kernel-turns', 1200, attemptTurns),
];
