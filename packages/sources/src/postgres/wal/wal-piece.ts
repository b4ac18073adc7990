import type { Lsn } from './lsn.ts';
import type { WalFacts } from './records/record-facts.ts';

/** A stretch of WAL that lies in one segment, checked. */
export interface WalPiece {
  readonly systemId: bigint;
  readonly timeline: number;
  readonly segmentBytes: number;
  readonly startLsn: Lsn;
  readonly endLsn: Lsn;
  /** In pieces as they came; their lengths add up to `endLsn` − `startLsn`. */
  readonly bytes: readonly Buffer[];
  readonly facts: WalFacts;
  /** Microseconds since 1970 by the server's clock: every commit acknowledged before lies in front of `endLsn`. */
  readonly coveredUntil: bigint | null;
  /** When that was, by our monotonic clock. */
  readonly coveredAt: number | null;
  /** When its first byte came, by our monotonic clock; null when it is empty. */
  readonly receivedAt: number | null;
  /** What a scanner needs to go on behind it. */
  readonly state: Uint8Array;
  /** The timeline's history file; null for timeline 1. */
  readonly history: Uint8Array | null;
  /** Where the WAL begins that leads here without a gap: a base from before is of no use. */
  readonly chainStart: Lsn;
  /** It does not follow the piece before. */
  readonly afterGap: boolean;
}

/** Where to go on. */
export interface WalPosition {
  readonly systemId: bigint;
  readonly timeline: number;
  readonly lsn: Lsn;
  /** Null at the beginning of a segment. */
  readonly state: Uint8Array | null;
  /** Where the WAL begins that leads here without a gap. */
  readonly chainStart: Lsn;
}
