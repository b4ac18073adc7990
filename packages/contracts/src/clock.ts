/** Time as an argument: the simulator and the tests bring their own. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. May jump. Never negative. */
  now(): number;
  /** Milliseconds since an arbitrary moment; never goes back. For durations and deadlines. */
  monotonic(): number;
  /**
   * Resolves no sooner than `milliseconds` of monotonic time from now (0 yields once). Rejects with CANCELLED as soon
   * as the signal fires, at once if it already has. Leaves no timer behind either way.
   */
  sleep(milliseconds: number, options?: { signal?: AbortSignal }): Promise<void>;
}
