import { SOFT_RULES } from '@holdfast/placement/placement-rules';
import { z } from 'zod';
import { parseShare } from '../units/fraction.ts';
import { duration } from './duration-schema.ts';

const share = z.union([z.string(), z.number()]).transform((value, context) => {
  const parsed = parseShare(String(value));
  if (parsed !== null) return parsed;
  const message = `"${value}" is not a share: write a percentage from 0% to 100%, such as 70%`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const aboveNothing = share.refine((value) => value > 0, 'must be above 0%');
const someTime = duration.refine((milliseconds) => milliseconds > 0, 'must be longer than no time');

/** The figures of the design document. What depends on k and m is checked with the whole configuration. */
const rules = {
  mode: z.enum(['hybrid', 'deterministic', 'random']).default('hybrid'),
  hybrid: z
    .strictObject({ enterAbove: share.prefault('80%'), leaveBelow: share.prefault('75%') })
    .prefault({}),
  saltEpoch: z.int().min(0).max(4_294_967_295).default(0),
  maxPerFailureDomain: z.int().min(1).max(199).optional(),
  minDistinctPeers: z.int().min(1).max(255).default(3),
  separationWindows: z.int().min(1).max(100_000).default(30),
  window: someTime.prefault('24h'),
  separateSiblings: z.boolean().default(false),
  maxLatency: someTime.prefault('100ms'),
  maxPacketLoss: aboveNothing.prefault('5%'),
  maxPerRegion: z.int().min(1).max(255).default(3),
  minContinents: z.int().min(1).max(255).default(2),
  maxLoad: aboveNothing.prefault('70%'),
  headroomShards: z.int().min(1).max(1_000_000).default(2),
  minReputation: share.prefault('70%'),
  reputationFloor: share.prefault('50%'),
  off: z.array(z.enum(SOFT_RULES)).max(SOFT_RULES.length).default([]),
};

const domainName = z.string().min(1).max(64);
const peerName = z.string().min(1).max(255);

const previous = z.strictObject({
  version: z.int().min(1).max(65_535),
  maxPerOperator: z.int().min(1).max(199).optional(),
  ...rules,
});

export const placementSchema = z.strictObject({
  ...rules,
  failureDomains: z.record(domainName, z.array(peerName).min(1).max(100_000)).prefault({}),
  rollout: z.strictObject({ percent: share, previous }).optional(),
});

export type PlacementConfig = z.output<typeof placementSchema>;
export type PlacementRulesConfig = Omit<PlacementConfig, 'failureDomains' | 'rollout'>;

interface Contradiction {
  readonly path: readonly string[];
  readonly message: string;
}

/** What cannot hold together, of the section itself and of the policy that is being replaced. */
export function contradictions(
  placement: PlacementConfig,
  policy: { readonly version: number; readonly k: number; readonly m: number },
): Contradiction[] {
  const { rollout } = placement;
  const found = ofRules(placement, policy, ['placement']);
  if (!rollout) return found;
  const path = ['placement', 'rollout', 'previous'];
  const { maxPerOperator = 1, version } = rollout.previous;
  return [
    ...found,
    ...ofRules(rollout.previous, policy, path),
    ...above([...path, 'maxPerOperator'], maxPerOperator, policy.k - 1, 'k − 1'),
    ...(version === policy.version
      ? [{ path: [...path, 'version'], message: `must differ from policy.version, which is ${version} too` }]
      : []),
  ];
}

function ofRules(
  rules: PlacementRulesConfig,
  { k, m }: { readonly k: number; readonly m: number },
  path: readonly string[],
): Contradiction[] {
  const at = (name: string) => [...path, name];
  const { hybrid, maxPerFailureDomain = 1 } = rules;
  return [
    ...above(at('maxPerFailureDomain'), maxPerFailureDomain, k - 1, 'k − 1'),
    ...above(at('minDistinctPeers'), rules.minDistinctPeers, k + m, 'k + m'),
    ...above(at('minContinents'), rules.minContinents, k + m, 'k + m'),
    ...above(at('reputationFloor'), rules.reputationFloor, rules.minReputation, 'minReputation'),
    ...above([...at('hybrid'), 'leaveBelow'], hybrid.leaveBelow, hybrid.enterAbove, 'enterAbove'),
  ];
}

const above = (path: readonly string[], value: number, most: number, name: string): Contradiction[] =>
  value > most ? [{ path, message: `must not exceed ${name} = ${most}` }] : [];
