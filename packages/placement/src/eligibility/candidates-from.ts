import type { PeerId, PeerRecord, PeerStatus } from '@holdfast/contracts';
import type { Candidate } from '../candidate.ts';
import { defaultRules, type PlacementRules } from '../placement-rules.ts';
import { roomFor } from './answer.ts';
import type { EligibilityCheckName, PeerObservation, RejectedPeer } from './check.ts';
import { CHECKS } from './check-eligibility.ts';

/** What decides whether a peer can be considered at all. The rest is weighed by the assignment, partition by partition. */
const DECISIVE: readonly EligibilityCheckName[] = ['membership', 'certificate', 'encryption', 'answer'];

/** What is known of a peer beside its record and status. */
export type PeerMeasurements = Omit<PeerObservation, 'record' | 'status'> &
  Pick<Candidate, 'failureDomains' | 'stability' | 'uptime'>;

/**
 * The peers that assignment may consider: members in good standing that answered sensibly. Others come with the first
 * reason against them.
 * @param statuses of the peers that answered
 * @param known what was measured; `now` is needed where certificates are among it (wall clock, ms)
 */
export function candidatesFrom(
  peers: readonly PeerRecord[],
  statuses: ReadonlyMap<PeerId, PeerStatus>,
  known: { readonly measurements?: ReadonlyMap<PeerId, PeerMeasurements>; readonly now?: number } = {},
): { readonly candidates: Candidate[]; readonly rejected: RejectedPeer[] } {
  const candidates: Candidate[] = [];
  const rejected: RejectedPeer[] = [];
  for (const record of peers) {
    const status = statuses.get(record.id);
    const measured = known.measurements?.get(record.id) ?? {};
    const reason = reasonAgainst({ ...measured, record, status }, known.now ?? 0);
    if (reason !== null) rejected.push({ peer: record.id, reason });
    else if (status === undefined) rejected.push({ peer: record.id, reason: 'did not answer' });
    else candidates.push(candidate(record, status, measured));
  }
  return { candidates, rejected };
}

function reasonAgainst(observation: PeerObservation, now: number): string | null {
  const request = { observation, rules: ANY_RULES, context: { now } };
  for (const check of DECISIVE) {
    const { passed, message } = CHECKS[check](request);
    if (!passed) return message;
  }
  return null;
}

/** The decisive checks look at no rule. */
const ANY_RULES: PlacementRules = defaultRules(2, 0);

function candidate(
  { id, operator, region }: PeerRecord,
  status: PeerStatus,
  { certificate: _, encryption: __, ...facts }: PeerMeasurements,
): Candidate {
  return { id, operator, region, ...roomFor(status), ...facts };
}
