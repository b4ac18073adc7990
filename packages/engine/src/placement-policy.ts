import { HoldfastError, type RecordedPolicy, SHARD_BYTES, type SnapshotId } from '@holdfast/contracts';
import {
  checkRules,
  chooseMode,
  chosenPolicy,
  defaultMode,
  defaultSettings,
  type PlacementMode,
  type PlacementRules,
} from '@holdfast/placement';
import type { PlacementPolicy, Policy } from './api.ts';

/** What is not said is as the design document has it. */
export const currentPlacement = ({ version, k, maxPerOperator, placement }: Policy): PlacementPolicy =>
  placement?.current ?? {
    version,
    settings: { ...defaultSettings(k), maxPerOperator },
    mode: defaultMode,
    saltEpoch: 0,
  };

/**
 * The policy that a snapshot is made under: while a new one is rolled out, either that or the one before.
 * @param salt the owner's placement secret
 */
export function policyOf(policy: Policy, snapshot: SnapshotId, salt: Uint8Array): Policy {
  const { placement } = policy;
  if (!placement?.rollout) return policy;
  const { percent, previous } = placement.rollout;
  const chosen = chosenPolicy({ current: placement.current, previous, percent }, snapshot, salt);
  const { failureDomains } = placement;
  return {
    ...policy,
    version: chosen.version,
    maxPerOperator: chosen.settings.maxPerOperator,
    placement: { current: chosen, failureDomains },
  };
}

export const rulesFor = (
  { settings }: PlacementPolicy,
  { k, m, sizeClass }: { readonly k: number; readonly m: number; readonly sizeClass: number },
): PlacementRules => ({ ...settings, k, m, copies: 1, shardBytes: sizeClass });

/**
 * For what was placed under other rules: its own soft rules, by which it is judged ever after, and of the limits on who
 * may have what the stricter ones.
 */
export const stricter = (recorded: PlacementRules, today: PlacementRules): PlacementRules => ({
  ...recorded,
  maxPerOperator: Math.min(recorded.maxPerOperator, today.maxPerOperator),
  maxPerFailureDomain: Math.min(recorded.maxPerFailureDomain, today.maxPerFailureDomain),
  minDistinctPeers: Math.max(recorded.minDistinctPeers, today.minDistinctPeers),
  separateSiblings: recorded.separateSiblings || today.separateSiblings,
});

/** As it goes into the catalog. */
export function recordedPolicy(policy: PlacementPolicy, mode: PlacementMode): RecordedPolicy {
  const { version, settings, saltEpoch } = policy;
  return { version, mode, settings: { ...settings, saltEpoch } };
}

/** USAGE for settings that contradict themselves or the promises. */
export function checkPlacement(policy: Policy): void {
  const { k, m, placement } = policy;
  const current = currentPlacement(policy);
  if (current.settings.maxPerOperator !== policy.maxPerOperator) {
    throw new HoldfastError(
      'USAGE',
      `maxPerOperator is ${policy.maxPerOperator} in the policy and ${current.settings.maxPerOperator} in its placement.`,
    );
  }
  for (const { settings, mode } of [current, ...(placement?.rollout ? [placement.rollout.previous] : [])]) {
    checkRules({ ...settings, k, m, copies: 1, shardBytes: SHARD_BYTES });
    chooseMode(mode, null, { members: 0, answering: 0 });
  }
}
