import { Dice } from '../dice.ts';
import { attemptArena, attemptRequest } from '../kernel/attempt.ts';
import type { Target } from '../target.ts';

/** Choices enough for the largest shape. */
const seeds = (name: string, bytes: number) => () => {
  const dice = new Dice(name);
  return Array.from({ length: 64 }, () => dice.bytes(bytes));
};

/** The boundary to WebAssembly: odd arguments are refused before a byte is written, good ones give the right bytes only. */
export const kernelTargets: readonly Target[] = [
  { name: 'kernel-arena', seeds: seeds('arena', 32), refusals: [], attempt: attemptArena, guided: false },
  { name: 'kernel', seeds: seeds('kernel', 1200), refusals: [], attempt: attemptRequest, guided: false },
];
