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
export {
  type NoiseOccasion,
  type NoiseSource,
  type NoiseTerms,
  noisySteps,
} from './privacy/noisy-weight.ts';
export {
  chargeChoices,
  openPrivacyAccount,
  type PrivacyAccount,
  type PrivacyCharge,
  type PrivacyEpoch,
  privacySpent,
  type WeightRelease,
} from './privacy/privacy-account.ts';
export { checkPrivacySettings, type PrivacySettings } from './privacy/privacy-settings.ts';
export { type PrivateCandidatesRequest, privateCandidates } from './privacy/private-candidates.ts';
export {
  complementsOf,
  identifyComplementaryShards,
  type ShardPosition,
  type ShardRole,
  shardRole,
} from './relations/complementary.ts';
export { matrixBytesAtMost } from './relations/matrix-bytes.ts';
export type { PartitionFacts } from './relations/partition-facts.ts';
export {
  RelationshipMatrix,
  type SeparationRules,
  type ShardRelation,
} from './relations/relationship-matrix.ts';

export { type CodeShape, peersOf, replicationOf, storageOf } from './sla/code-shape.ts';
export { type AvailabilityFigures, formatAvailability, formatDowntime } from './sla/figures.ts';
export { customLevel, inRegions, SLA_LEVELS, type SlaLevel, slaLevel } from './sla/level.ts';
export type { GroupLoss, Shortfall, SlaPeers, SlaPlan } from './sla/plan.ts';
export { planSla, type SlaRequest } from './sla/plan-sla.ts';
export { defaultSlaSettings, SLA_SCHEMES, type SlaScheme, type SlaSettings } from './sla/settings.ts';
export { sparePeers } from './sla/spare-peers.ts';
export type { FewerPeers, MorePeers, Suggestion } from './sla/suggest.ts';

export { checkPlan } from './upkeep/check/check-plan.ts';
export { execute } from './upkeep/check/execute.ts';
export type { PlanRule, PlanViolation } from './upkeep/check/violation.ts';
export {
  type ChurnMeasures,
  type ChurnObservation,
  type ChurnSettings,
  type ChurnState,
  churnMeasures,
  churnState,
  defaultChurn,
} from './upkeep/churn.ts';
export {
  type Departure,
  type DeparturePlan,
  planDeparture,
  type Stranded,
} from './upkeep/departure/plan-departure.ts';
export {
  type Departing,
  type DeparturePhase,
  type DepartureSettings,
  defaultDeparture,
  departurePhase,
  type Timeline,
} from './upkeep/departure/timeline.ts';
export {
  type Progress,
  type WithdrawalPlan,
  withdrawDeparture,
} from './upkeep/departure/withdraw-departure.ts';
export { byExposure, type Exposure, exposureOf } from './upkeep/exposure.ts';
export { type ParityWork, parityOrder, placeableParity } from './upkeep/extra-parity.ts';
export {
  defaultFewPeers,
  type FewPeersSettings,
  type FewPeersState,
  fewPeersState,
} from './upkeep/few-peers.ts';
export type { Refused } from './upkeep/ledger.ts';
export { defaultRebalance, type RebalanceSettings } from './upkeep/rebalance/bands.ts';
export type { MoveReason, RebalanceMove } from './upkeep/rebalance/mover.ts';
export { planRebalance, type RebalancePlan } from './upkeep/rebalance/plan-rebalance.ts';
export type { RelaxedMove } from './upkeep/relaxed.ts';
export { type Absence, absenceOf, defaultRepair, type RepairSettings } from './upkeep/repair/outages.ts';
export {
  type AffectedPartition,
  type PlannedRepair,
  planRepair,
  type RepairPlan,
  type WaitingPartition,
} from './upkeep/repair/plan-repair.ts';
export type { Outage, PartitionState, UpkeepState } from './upkeep/state.ts';
export type {
  CopyStep,
  MakeStep,
  ReleaseStep,
  Step,
  VerifyStep,
  WriteOffStep,
} from './upkeep/steps.ts';
export { transferHash } from './upkeep/transfer-hash.ts';

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
