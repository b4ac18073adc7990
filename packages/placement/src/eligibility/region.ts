import { regionKey } from '../rules/region-spread.ts';
import { type CheckRequest, type CheckResult, fail, pass } from './check.ts';

/** Soft: with the shard, no more of the partition's shards are in the peer's region than should be. */
export function checkRegion({ observation, rules, context }: CheckRequest): CheckResult {
  const region = regionKey(observation.record.region);
  const count = context.shardsByRegion?.get(region) ?? 0;
  const figures = `${count} of the partition's shards are in ${region} already; at most ${rules.maxPerRegion} are wanted there`;
  return count < rules.maxPerRegion ? pass('region', 'soft', figures) : fail('region', 'soft', figures);
}
