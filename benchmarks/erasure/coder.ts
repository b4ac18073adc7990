import type { StripeShape } from '@holdfast/erasure';

/** `rebuild`: as many primaries as parity allows are lost, from the first on. `rebuild-one`: primary 0 is. */
export const OPERATIONS = ['encode', 'rebuild', 'rebuild-one', 'verify', 'update-parity'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** An implementation of a code, with a stripe of its own. One thread. */
export interface Coder {
  readonly name: string;
  readonly operations: readonly Operation[];
  /**
   * Makes a stripe and codes it. Fails unless what it rebuilds is what was lost; false where it cannot do this shape.
   * The stripe before is gone.
   */
  prepare(shape: StripeShape): Promise<boolean>;
  /** Nanoseconds for doing it that many times. */
  run(operation: Operation, times: number): Promise<number>;
  close(): Promise<void>;
}

/** Bytes that a result in MiB/s counts: the stripe's data; for an update those of the primary that changed. */
export const dataBytes = (operation: Operation, { k, bytes }: StripeShape): number =>
  operation === 'update-parity' ? bytes : k * bytes;

export const mostLost = ({ k, m }: Pick<StripeShape, 'k' | 'm'>): number[] =>
  Array.from({ length: Math.min(k, m) }, (_, index) => index);
