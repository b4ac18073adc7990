import type { SlaPlan } from '@holdfast/placement/sla';
import type { WrittenPlan } from '../config/edit.ts';
import type { PlacementConfig } from '../config/placement-schema.ts';

/** Limits that a plan may want to be stricter than they are. */
export type ConfiguredLimits = Pick<
  PlacementConfig,
  'maxPerRegion' | 'minContinents' | 'maxPerFailureDomain'
>;

/**
 * What of a plan goes into holdfast.yaml: the code, and those limits that its promise rests on and that are configured otherwise. Null
 * for several copies of each shard, which backups do not place.
 * @param hasDomains some of the peers planned with are in a failure domain
 */
export function plannedSettings(
  { code, rules }: SlaPlan,
  configured: ConfiguredLimits,
  hasDomains: boolean,
): WrittenPlan | null {
  const { k, m, copies } = code;
  if (copies > 1) return null;
  const { maxPerOperator, maxPerRegion, minContinents, maxPerFailureDomain } = rules;
  const perDomain = configured.maxPerFailureDomain ?? (hasDomains ? k - 1 : maxPerFailureDomain);
  return {
    policy: { k, m, maxPerOperator },
    placement: {
      ...(maxPerRegion === configured.maxPerRegion ? {} : { maxPerRegion }),
      ...(minContinents === configured.minContinents ? {} : { minContinents }),
      ...(maxPerFailureDomain === perDomain ? {} : { maxPerFailureDomain }),
    },
  };
}

export function settingLines({ policy, placement }: WrittenPlan): string[] {
  const section = (name: string, values: object): string[] => {
    const lines = Object.entries(values).map(([key, value]) => `  ${key}: ${value}`);
    return lines.length > 0 ? [`${name}:`, ...lines] : [];
  };
  return [...section('policy', policy), ...section('placement', placement)];
}
