export { type ArenaSize, arenaBytes } from './arena-layout.ts';
export { CLAY_BLOCK_BYTES, type ClayShape, clayGeometry } from './clay/geometry.ts';
export { repairHelpers, repairRange } from './clay/repair.ts';
export { type KernelVariant, supportedVariants } from './kernel/kernel.ts';
export type { StripeShape } from './parameters.ts';
export {
  type ArenaOptions,
  type ReconstructRequest,
  type RepairRequest,
  StripeArena,
  type UpdateRequest,
} from './stripe-arena.ts';
