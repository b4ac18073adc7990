export { assignStripe } from './assign/assign-stripe.ts';
export { Assigner, type AssignOptions, type PlacementPlan } from './assign/assigner.ts';
export { type ReassignRequest, reassignShard } from './assign/reassign-shard.ts';
export { type Candidate, checkCandidates, weightOf } from './candidate.ts';
export type { CertificateFacts } from './certificate-facts.ts';
export { candidatesFrom, type PeerMeasurements } from './eligibility/candidates-from.ts';
export {
  type CheckResult,
  ELIGIBILITY_CHECKS,
  type EligibilityCheckName,
  type EligibilityContext,
  type EncryptionOffer,
  type PeerObservation,
  type RejectedPeer,
} from './eligibility/check.ts';
export { checkEligibility, type EligibilityReport } from './eligibility/check-eligibility.ts';
export { type Holding, separationMs, stillCounts } from './holding.ts';
export {
  checkRules,
  defaultRules,
  defaultSettings,
  type PlacementRules,
  type PlacementSettings,
  peersNeeded,
  type Relaxation,
  SOFT_RULES,
  type SoftRule,
} from './placement-rules.ts';
export { chooseMode, defaultMode, type ModeSettings, type PlacementMode } from './policy/mode.ts';
export { chosenPolicy, type Rollout } from './policy/rollout.ts';
export { epochSalt } from './policy/salt-epoch.ts';
export { auditPlacement, type PlacementVerdict } from './verify/audit-placement.ts';
export type {
  HardRule,
  PeerFact,
  PeerFacts,
  PlacedHolder,
  RecordedPlacement,
  Unchecked,
  Violation,
} from './verify/recorded-placement.ts';
export { verifyPlacement } from './verify/verify-placement.ts';
export { type SpreadShortfall, verifySpread } from './verify/verify-spread.ts';
