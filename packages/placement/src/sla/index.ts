export { type CodeShape, peersOf, replicationOf, storageOf } from './code-shape.ts';
export { type AvailabilityFigures, formatAvailability, formatDowntime } from './figures.ts';
export { customLevel, inRegions, SLA_LEVELS, type SlaLevel, slaLevel } from './level.ts';
export type { GroupLoss, Shortfall, SlaPeers, SlaPlan } from './plan.ts';
export { planSla, type SlaRequest } from './plan-sla.ts';
export { defaultSlaSettings, SLA_SCHEMES, type SlaScheme, type SlaSettings } from './settings.ts';
export { sparePeers } from './spare-peers.ts';
export type { FewerPeers, MorePeers, Suggestion } from './suggest.ts';
