import { MAX_STRIPE_SHARDS } from '@holdfast/contracts';
import type { CborValue } from './cbor.ts';
import { type FieldReader, tupleOf, uint } from './fields.ts';

export interface Parity {
  readonly m: number;
  /** 0 for plain Reed–Solomon; else a Clay code's. */
  readonly helpers: number;
}

/** `m` alone for plain Reed–Solomon, as it was before there was another code; else both. */
export const parityToCbor = ({ m, helpers }: Parity): CborValue => (helpers === 0 ? m : [m, helpers]);

const count = uint(MAX_STRIPE_SHARDS);
const both = tupleOf(uint(MAX_STRIPE_SHARDS, 1), uint(MAX_STRIPE_SHARDS, 1));

export const parityFromCbor: FieldReader<Parity> = (value) => {
  if (!Array.isArray(value)) return { m: count(value), helpers: 0 };
  const [m, helpers] = both(value);
  return { m, helpers };
};
