import { HoldfastError, type PeerId } from '@holdfast/contracts';
import { checkRules, type PlacementRules, type SoftRule } from '../placement-rules.ts';
import { checkAnswer } from './answer.ts';
import { checkCertificate } from './certificate.ts';
import {
  type CheckRequest,
  type CheckResult,
  ELIGIBILITY_CHECKS,
  type EligibilityCheckName,
  type EligibilityContext,
  type PeerObservation,
  pass,
} from './check.ts';
import { checkEncryption } from './encryption.ts';
import { checkHeadroom } from './headroom.ts';
import { checkLatency } from './latency.ts';
import { checkLoad } from './load.ts';
import { checkMembership } from './membership.ts';
import { checkPacketLoss } from './packet-loss.ts';
import { checkRegion } from './region.ts';
import { checkReputation, checkReputationFloor } from './reputation.ts';
import { checkRoom } from './room.ts';

export const CHECKS: Readonly<Record<EligibilityCheckName, (request: CheckRequest) => CheckResult>> = {
  membership: checkMembership,
  certificate: checkCertificate,
  encryption: checkEncryption,
  answer: checkAnswer,
  room: checkRoom,
  'reputation-floor': checkReputationFloor,
  'packet-loss': checkPacketLoss,
  region: checkRegion,
  headroom: checkHeadroom,
  load: checkLoad,
  reputation: checkReputation,
  latency: checkLatency,
};

/** The soft rule by which a check is switched off. The floor under the reputation is hard: there is no switch for it. */
const RULE_OF: Partial<Record<EligibilityCheckName, SoftRule>> = {
  'packet-loss': 'packet-loss',
  region: 'region',
  headroom: 'load',
  load: 'load',
  reputation: 'reputation',
  latency: 'latency',
};

export interface EligibilityReport {
  readonly peer: PeerId;
  /** All of ELIGIBILITY_CHECKS, in that order. */
  readonly checks: readonly CheckResult[];
  /** No hard check failed: the peer may get a shard of the partition, if need be by relaxing soft rules. */
  readonly eligible: boolean;
  /** No check failed at all. */
  readonly preferred: boolean;
  /** Messages of what failed, hard ones first. */
  readonly reasons: readonly string[];
}

/**
 * Everything that speaks for or against a peer getting a shard, whether or not something else rules it out already.
 * USAGE, naming peer, field and value, for measurements that are none, and for contradictory rules.
 */
export function checkEligibility(
  observation: PeerObservation,
  rules: PlacementRules,
  context: EligibilityContext,
): EligibilityReport {
  checkRules(rules);
  checkMeasurements(observation, context);
  const request = { observation, rules, context };
  const checks = ELIGIBILITY_CHECKS.map((name) => {
    const rule = RULE_OF[name];
    if (rule === undefined || !rules.off.includes(rule)) return CHECKS[name](request);
    return pass(name, name === 'latency' ? 'information' : 'soft', `the rule ${rule} is switched off`);
  });
  const failed = checks.filter(({ passed }) => !passed);
  const hard = failed.filter(({ severity }) => severity === 'hard');
  const soft = failed.filter(({ severity }) => severity !== 'hard');
  return {
    peer: observation.record.id,
    checks,
    eligible: hard.length === 0,
    preferred: failed.length === 0,
    reasons: [...hard, ...soft].map(({ message }) => message),
  };
}

function checkMeasurements({ record, ...measured }: PeerObservation, { now }: EligibilityContext): void {
  const wrong = (field: string, value: number) =>
    new HoldfastError('USAGE', `Peer ${record.id}: ${field} is ${value}.`, {
      details: { peer: record.id, field, value },
    });
  if (!Number.isFinite(now)) throw wrong('now', now);
  for (const field of ['packetLoss', 'reputation'] as const) {
    const share = measured[field] ?? 0;
    if (!(share >= 0 && share <= 1)) throw wrong(field, share);
  }
  const latency = measured.latencyMs ?? 0;
  if (!(latency >= 0 && latency < Number.POSITIVE_INFINITY)) throw wrong('latencyMs', latency);
}
