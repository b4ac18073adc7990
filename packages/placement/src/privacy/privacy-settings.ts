import { HoldfastError } from '@holdfast/contracts';

export interface PrivacySettings {
  /**
   * `laplace`: weights get noise once an epoch, and every choice made by them is free. `exponential`: weights are exact, but
   * flattened so that each choice reveals little; each choice is charged.
   */
  readonly mechanism: 'laplace' | 'exponential';
  /** ε of one release of weights, or of one choice. 0.000001 … 100, in whole millionths. */
  readonly epsilon: number;
  /** ε that one epoch may cost in all: at least `epsilon`, in whole millionths. */
  readonly budget: number;
  /**
   * The weight that counts as 1; larger ones count as 1 too. It must not be taken from the peers' facts (as their maximum
   * would be): then each peer's facts would move everybody's share, and noise on one would no longer hide it.
   */
  readonly fullWeight: number;
  /** Steps between 0 and 1 that noisy weights are counted in: 2 … 1 000 000. */
  readonly gridSteps: number;
}

/** Millionths: ε is added up and compared in whole ones of these, so that no sum drifts. */
const MICRO = 1_000_000;
const MOST_EPSILON = 100;
const MOST_BUDGET = 1_000_000;
/** With one, all weights would be the same. */
const LEAST_STEPS = 2;
const MOST_STEPS = 1_000_000;

export const microOf = (epsilon: number): number => Math.round(epsilon * MICRO);
export const epsilonOf = (micro: number): number => micro / MICRO;

/**
 * The scale of noise that hides a difference of `gridSteps` steps at ε: gridSteps / ε, as a fraction of integers in lowest terms.
 * Both are at most 10¹².
 */
export function noiseScale({ epsilon, gridSteps }: Pick<PrivacySettings, 'epsilon' | 'gridSteps'>): {
  readonly numerator: number;
  readonly denominator: number;
} {
  const [numerator, denominator] = [gridSteps * MICRO, microOf(epsilon)];
  const common = greatestCommonDivisor(numerator, denominator);
  return { numerator: numerator / common, denominator: denominator / common };
}

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b);

/** USAGE, naming field and value, for settings that protect nothing or contradict each other. */
export function checkPrivacySettings(settings: PrivacySettings): void {
  const { mechanism, epsilon, budget, fullWeight, gridSteps } = settings;
  if (mechanism !== 'laplace' && mechanism !== 'exponential') {
    throw invalid('mechanism', mechanism, 'laplace or exponential');
  }
  checkMillionths('epsilon', epsilon, MOST_EPSILON);
  checkMillionths('budget', budget, MOST_BUDGET);
  if (microOf(budget) < microOf(epsilon)) {
    throw invalid('budget', budget, `at least epsilon, ${epsilon}, or nothing could ever be chosen`);
  }
  if (!(fullWeight > 0 && fullWeight < Number.POSITIVE_INFINITY)) {
    throw invalid('fullWeight', fullWeight, 'a finite number above 0');
  }
  if (!(Number.isInteger(gridSteps) && gridSteps >= LEAST_STEPS && gridSteps <= MOST_STEPS)) {
    throw invalid('gridSteps', gridSteps, `a whole number from ${LEAST_STEPS} to ${MOST_STEPS}`);
  }
}

function checkMillionths(field: string, value: number, most: number): void {
  const micro = microOf(value);
  // What is written as a decimal fraction is not quite a multiple of 10⁻⁶ in binary.
  if (micro >= 1 && value <= most && Math.abs(value * MICRO - micro) < 0.001) return;
  throw invalid(field, value, `from 0.000001 to ${most}, with at most six decimals`);
}

const invalid = (field: string, value: number | string, wanted: string) =>
  new HoldfastError('USAGE', `Privacy setting ${field} is ${value}; it must be ${wanted}.`, {
    details: { field, value },
  });
