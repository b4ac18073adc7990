export type { ArenaSize } from './arena-layout.ts';
export { type KernelVariant, supportedVariants } from './kernel/kernel.ts';
export type { StripeShape } from './parameters.ts';
export {
  type ArenaOptions,
  type ReconstructRequest,
  StripeArena,
  type UpdateRequest,
} from './stripe-arena.ts';
