import { HoldfastError } from '@holdfast/contracts';

/** A draw takes some tens of bytes. Uniform ones take as many as this with a probability far below 2⁻¹⁰⁰⁰. */
const MOST_BYTES = 65_536;

/**
 * Random decisions with exactly the probabilities stated, given uniform bytes: integers and rejection only, no floating-point
 * logarithms, whose gaps betray what noise should hide (Mironov, CCS 2012).
 */
export class Dice {
  readonly #more: () => Uint8Array;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #taken = 0;

  /** @param more uniform bytes, at least one each time. */
  constructor(more: () => Uint8Array) {
    this.#more = more;
  }

  /** Uniform in 0 … limit − 1; limit at most 2⁵³. */
  below(limit: number): number {
    let bits = 0;
    for (let rest = limit - 1; rest >= 1; rest = Math.floor(rest / 2)) bits++;
    for (;;) {
      const value = this.#bits(bits);
      if (value < limit) return value;
    }
  }

  /** True with probability numerator / denominator, integers. */
  chance(numerator: number, denominator: number): boolean {
    return this.below(denominator) < numerator;
  }

  /**
   * True with probability exp(−numerator / denominator), for 0 ≤ numerator ≤ denominator. Canonne, Kamath and Steinke, "The
   * Discrete Gaussian for Differential Privacy" (2020), algorithm 1. Their γ / K is drawn as γ and, apart from that, 1 / K, so
   * that denominators stay small.
   */
  chanceExp(numerator: number, denominator: number): boolean {
    let k = 1;
    while (this.chance(numerator, denominator) && this.chance(1, k)) k++;
    return k % 2 === 1;
  }

  #bits(count: number): number {
    let value = 0;
    for (let left = count; left > 0; left -= 8) {
      const byte = this.#byte();
      value = value * 2 ** Math.min(8, left) + (left < 8 ? byte >>> (8 - left) : byte);
    }
    return value;
  }

  #byte(): number {
    // Without this bound, a generator that returns the same byte for ever would keep rejection going for ever.
    if (this.#taken++ === MOST_BYTES) {
      throw new HoldfastError(
        'USAGE',
        `The source of randomness is broken: ${MOST_BYTES} bytes gave no draw.`,
      );
    }
    if (this.#at === this.#bytes.length) {
      this.#bytes = this.#more();
      this.#at = 0;
    }
    return this.#bytes[this.#at++]!;
  }
}
