/** Randomness as an argument. Production uses the operating system's CSPRNG; tests and the simulator a seed. */
export interface Random {
  /** `length` fresh bytes that the caller owns; length 0 gives an empty array. */
  bytes(length: number): Uint8Array;
  /** RFC 9562 version 4, lower case. */
  uuid(): string;
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
}
