/**
 * Tests of bytes for being noise, each as a z: how many standard deviations they are off what noise would give. Beyond 7, to
 * either side, noise is by chance with a probability of 2.6 · 10^-12 for ones among bits, 2.2 · 10^-12 for the counts of byte
 * values, and for matches, whose upper tail is thicker, 2.6 · 10^-11 in 65 488 bytes and less in more: summed from the
 * binomial and χ² distributions themselves.
 */
export const NOISE_Z = 7;

/** Ones among n bits: n/2 expected, standard deviation √n/2. */
export function monobitZ(bytes: Uint8Array): number {
  let ones = 0;
  for (const byte of bytes) ones += ONES[byte]!;
  const bits = bytes.length * 8;
  return (ones - bits / 2) / (Math.sqrt(bits) / 2);
}

/**
 * Counts of the 256 values: Σ(count − n/256)²/(n/256) is χ² with 255 degrees of freedom, mean 255, standard deviation √510.
 * By Wilson and Hilferty, (χ²/255)^⅓ is all but normal with mean 1 − 2/(9·255) and variance 2/(9·255), far out as well.
 */
export function byteValuesZ(bytes: Uint8Array): number {
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte]!++;
  const expected = bytes.length / 256;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const variance = 2 / (9 * 255);
  return ((chiSquare / 255) ** (1 / 3) - (1 - variance)) / Math.sqrt(variance);
}

/** Bytes alike in the same place: n/256 expected, standard deviation √(n · 255)/256, when either side is noise. */
export function matchesZ(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  let same = 0;
  for (let i = 0; i < length; i++) if (a[i] === b[i]) same++;
  return (same - length / 256) / (Math.sqrt(length * 255) / 256);
}

/** Pairs of words of eight bytes that are the same; n²/2^65 expected among n words, which is next to none. */
export function alikeWords(bytes: Uint8Array): number {
  const words = new BigUint64Array(Uint8Array.from(bytes.subarray(0, bytes.length & ~7)).buffer).sort();
  let pairs = 0;
  for (let i = 1; i < words.length; i++) if (words[i] === words[i - 1]) pairs++;
  return pairs;
}

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);
