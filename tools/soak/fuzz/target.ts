import { type ErrorCode, HoldfastError, KiB, MiB } from '@holdfast/contracts';

/** Something that takes bytes from outside. */
export interface Target {
  readonly name: string;
  /** Inputs to begin with, mostly good ones. */
  readonly seeds: () => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** Codes that its documentation promises for bad input. Any other failure is a finding. */
  readonly refusals: readonly ErrorCode[];
  /** Works on `input`, which it may read only during the call. */
  readonly attempt: (input: Uint8Array) => unknown;
  /** Throws when what was accepted should not have been, or is not what it should be. `input` is a fresh copy. */
  readonly confirm?: (result: never, input: Uint8Array) => void | Promise<void>;
  /** Puts lengths and checksums right after a mutation, so that it reaches what lies behind them. */
  readonly repair?: (input: Uint8Array) => Uint8Array;
  /** Bytes that an attempt may allocate, all told. Absent: not measured. */
  readonly allocation?: { readonly base: number; readonly perByte: number };
  /** Whether the input is text, to be mutated as such. */
  readonly text?: boolean;
  /** False: inputs are nothing but randomness, so that new coverage says nothing about them. */
  readonly guided?: boolean;
}

/** A promise was broken: what a fuzzer looks for. */
export class Violation extends Error {}

export interface Codec<T> extends Pick<Target, 'name' | 'seeds' | 'repair' | 'text'> {
  readonly decode: (input: Uint8Array) => T;
  /** What the encoder makes of a decoded value; the same bytes, if the format is canonical. `input` has the rest. */
  readonly encode?: (value: T, input: Uint8Array) => Uint8Array;
  readonly refusals?: readonly ErrorCode[];
  readonly allocation?: Target['allocation'];
}

/** The base is what errors with their stacks take, and code that runs for the first time. */
export const SMALL = { base: 256 * KiB, perByte: 400 } as const;

/** A record may announce 1 MiB, and gets that much room before its bytes have come. */
export const RECORDS = { base: MiB + 256 * KiB, perByte: 400 } as const;

/** The law of a canonical format: whatever is accepted is what would have been written. */
export function decoder<T>({
  decode,
  encode,
  refusals = ['FORMAT_INVALID', 'FORMAT_VERSION'],
  allocation = SMALL,
  ...rest
}: Codec<T>): Target {
  return {
    ...rest,
    refusals,
    allocation,
    attempt: decode,
    confirm(value: T, input) {
      if (encode && Buffer.compare(encode(value, input), input) !== 0)
        throw new Violation('It accepts bytes that its encoder would not write.');
    },
  };
}

export const isRefusal = (target: Target, error: unknown): boolean =>
  HoldfastError.is(error) && target.refusals.includes(error.code);
