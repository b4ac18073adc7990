import type { Dice } from './dice.ts';

/**
 * An integer z with probability (1 − a) / (1 + a) · a^|z|, a = exp(−denominator / numerator): the two-sided geometric distribution
 * of Ghosh, Roughgarden and Sundararajan ("Universally Utility-Maximizing Privacy Mechanisms", STOC 2009), which is Laplace's
 * with scale numerator / denominator on the integers. Sampled exactly: Canonne, Kamath and Steinke (2020), algorithm 2.
 * @param numerator and denominator: integers from 1 to 10¹²
 */
export function discreteLaplace(numerator: number, denominator: number, dice: Dice): number {
  for (;;) {
    const remainder = dice.below(numerator);
    if (!dice.chanceExp(remainder, numerator)) continue;
    let quotient = 0;
    while (dice.chanceExp(1, 1)) quotient++;
    // Geometric with exp(−1 / numerator); of that, each run of `denominator` values counts as one.
    const fine = remainder + numerator * quotient;
    const size = (fine - (fine % denominator)) / denominator;
    const negative = dice.chance(1, 2);
    if (negative && size === 0) continue;
    return negative ? -size : size;
  }
}
