/** Pearson's statistic of counts against probabilities. */
export function chiSquared(counts: readonly number[], probabilities: readonly number[]): number {
  const draws = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((sum, count, i) => {
    const expected = draws * probabilities[i]!;
    return sum + (expected === 0 ? 0 : (count - expected) ** 2 / expected);
  }, 0);
}

/** A count below this says too little about its probability. */
const ENOUGH = 1_000;

/**
 * By how much, at most, the logarithm of two histograms' ratio exceeds ε and what chance explains: 4.5 standard deviations, the
 * deviation of ln(a / b) being sqrt(1 / a + 1 / b). Both have the same number of draws.
 */
export function worstExcess(one: readonly number[], other: readonly number[], epsilon: number): number {
  return Math.max(
    ...one.map((count, i) => {
      const [a, b] = [count, other[i]!];
      if (Math.min(a, b) < ENOUGH) return Number.NEGATIVE_INFINITY;
      return Math.abs(Math.log(a / b)) - epsilon - 4.5 * Math.sqrt(1 / a + 1 / b);
    }),
  );
}
