export { checkPlan } from './check/check-plan.ts';
export { execute } from './check/execute.ts';
export type { PlanRule, PlanViolation } from './check/violation.ts';
export {
  type ChurnMeasures,
  type ChurnObservation,
  type ChurnSettings,
  type ChurnState,
  churnMeasures,
  churnState,
  defaultChurn,
} from './churn.ts';
export {
  type Departure,
  type DeparturePlan,
  planDeparture,
  type Stranded,
} from './departure/plan-departure.ts';
export {
  type Departing,
  type DeparturePhase,
  type DepartureSettings,
  defaultDeparture,
  departurePhase,
  type Timeline,
} from './departure/timeline.ts';
export {
  type Progress,
  type WithdrawalPlan,
  withdrawDeparture,
} from './departure/withdraw-departure.ts';
export { byExposure, type Exposure, exposureOf } from './exposure.ts';
export { type ParityWork, parityOrder, placeableParity } from './extra-parity.ts';
export {
  defaultFewPeers,
  type FewPeersSettings,
  type FewPeersState,
  fewPeersState,
} from './few-peers.ts';
export type { Refused } from './ledger.ts';
export { defaultRebalance, type RebalanceSettings } from './rebalance/bands.ts';
export type { MoveReason, RebalanceMove } from './rebalance/mover.ts';
export { planRebalance, type RebalancePlan } from './rebalance/plan-rebalance.ts';
export type { RelaxedMove } from './relaxed.ts';
export { type Absence, absenceOf, defaultRepair, type RepairSettings } from './repair/outages.ts';
export {
  type AffectedPartition,
  type PlannedRepair,
  planRepair,
  type RepairPlan,
  type WaitingPartition,
} from './repair/plan-repair.ts';
export type { Outage, PartitionState, UpkeepState } from './state.ts';
export type {
  CopyStep,
  MakeStep,
  ReleaseStep,
  Step,
  VerifyStep,
  WriteOffStep,
} from './steps.ts';
export { transferHash } from './transfer-hash.ts';
