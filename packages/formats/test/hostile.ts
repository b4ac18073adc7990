import { HoldfastError } from '@holdfast/contracts';
import fc from 'fast-check';
import { expect } from 'vitest';
import { anyBytes, mutated } from './arbitraries.ts';

const REFUSALS = ['FORMAT_INVALID', 'FORMAT_VERSION', 'SIGNATURE_INVALID', 'SEAL_BROKEN'] as const;

/**
 * Whatever bytes come in, a decoder either refuses them with one of its codes, or they are the very bytes that its
 * encoder makes of what was decoded.
 */
export function checkHostileInput<T>(
  valid: fc.Arbitrary<Uint8Array>,
  decode: (bytes: Uint8Array) => T,
  encode: (value: T) => Uint8Array,
  numRuns = 1000,
): void {
  const input = fc.oneof({ weight: 1, arbitrary: anyBytes }, { weight: 4, arbitrary: mutated(valid) });
  fc.assert(
    fc.property(input, (bytes) => {
      let value: T;
      try {
        value = decode(bytes);
      } catch (error) {
        if (!HoldfastError.is(error, ...REFUSALS)) throw error;
        return;
      }
      expect(Buffer.from(encode(value)).equals(bytes)).toBe(true);
    }),
    { numRuns },
  );
}
