import type { PeerEvent, PeerRecord, PeerView } from '@holdfast/contracts';
import type { Candidate } from '@holdfast/placement';
import { PeerGauge } from './peer-gauge.ts';

/** One peer during one run. */
export interface Location {
  readonly record: PeerRecord;
  readonly gauge: PeerGauge;
  /** Null: not reachable when last asked. */
  space: { free: number; capacity: number } | null;
  /** Best round trip of a small request on an established connection, as the catalog keeps it. */
  latencyMs: number | undefined;
  restingUntil: number;
  wrongBytes: number;
  missing: number;
  unreachable: number;
  readonly events: Map<PeerEvent, number>;
}

export const newLocation = (record: PeerRecord): Location => ({
  record,
  gauge: new PeerGauge(),
  space: null,
  latencyMs: undefined,
  restingUntil: 0,
  wrongBytes: 0,
  missing: 0,
  unreachable: 0,
  events: new Map(),
});

/** What is known of a peer; without room when it does not answer. */
export function factsOf(
  { id, operator, region, state }: PeerRecord,
  failureDomains: readonly string[],
  location: Location | undefined,
): PeerView {
  const { space = null, latencyMs } = location ?? {};
  return {
    id,
    operator,
    region,
    failureDomains,
    member: state === 'active',
    ...(space ? { freeBytes: space.free, capacityBytes: space.capacity } : {}),
    ...(latencyMs === undefined ? {} : { latencyMs }),
  };
}

/** As a candidate: one that does not answer has no room. */
export const candidateOf = ({ freeBytes = 0, capacityBytes = 0, ...facts }: PeerView): Candidate => ({
  ...facts,
  freeBytes,
  capacityBytes,
});
