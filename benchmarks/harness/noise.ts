/** Bytes without a pattern, the same for the same seed: the top bytes of x ← 1 664 525 x + 1 013 904 223 mod 2³². */
export function fillNoise(bytes: Uint8Array, seed: number): void {
  let state = seed >>> 0;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
}
