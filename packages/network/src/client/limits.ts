/** Settings of `tlsTransport`. Times in milliseconds. */
export interface ClientLimits {
  /** Requests under way per connection; the rest wait. The peer may allow fewer. */
  readonly maxInFlight: number;
  /** From TCP connection to the peer's HELLO. */
  readonly connectTimeout: number;
  /** Default for requests: time without any progress. */
  readonly timeout: number;
  /** After a failed attempt to connect the peer counts as unreachable for about this long … */
  readonly backoffMin: number;
  /** … which doubles with each failure up to this. */
  readonly backoffMax: number;
}

export const CLIENT_LIMITS: ClientLimits = {
  maxInFlight: 8,
  connectTimeout: 10_000,
  timeout: 30_000,
  backoffMin: 100,
  backoffMax: 5_000,
};
