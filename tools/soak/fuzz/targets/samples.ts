import fc from 'fast-check';

const COUNT = 24;

/** The same good values at every run: what is fuzzed from them is told by the seed of the fuzzing. */
export const samples = <T>(arbitrary: fc.Arbitrary<T>, count = COUNT): T[] =>
  fc.sample(arbitrary, { numRuns: count, seed: 1 });

export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
