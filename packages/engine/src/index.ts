export type * from './api.ts';
export {
  type AuditOptions,
  auditPlacements,
  type BrokenPlacement,
  judge as judgePlacement,
  type PlacementAudit,
} from './audit/audit-placements.ts';
export { RecordedViews } from './audit/recorded-facts.ts';
export { HoldfastEngine } from './engine.ts';
