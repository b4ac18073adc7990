/**
 * GF(2^8) with the polynomial x^8 + x^4 + x^3 + x^2 + 1 (0x11d), whose root 2 generates all 255 non-zero elements.
 * Used to make matrices and the kernel's tables; the bulk work is the kernel's.
 */
const POLYNOMIAL = 0x11d;

/** LOG[2^i] = i; LOG[0] is meaningless. EXP is written twice in a row so that sums of two logarithms need no modulo. */
const LOG = new Uint8Array(256);
const EXP = new Uint8Array(510);
for (let power = 0, element = 1; power < 255; power++) {
  EXP[power] = element;
  EXP[power + 255] = element;
  LOG[element] = power;
  element <<= 1;
  if (element > 255) element ^= POLYNOMIAL;
}

export function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : EXP[LOG[a]! + LOG[b]!]!;
}

/** @param a not 0. */
export function inverse(a: number): number {
  return EXP[255 - LOG[a]!]!;
}

/** 32 bytes for each of the 256 coefficients: its products with 0 … 15, then with 0, 16, … 240. */
export const NIBBLE_TABLES = new Uint8Array(256 * 32);
for (let coefficient = 0; coefficient < 256; coefficient++) {
  for (let nibble = 0; nibble < 16; nibble++) {
    NIBBLE_TABLES[coefficient * 32 + nibble] = multiply(coefficient, nibble);
    NIBBLE_TABLES[coefficient * 32 + 16 + nibble] = multiply(coefficient, nibble << 4);
  }
}
