import { HoldfastError } from '@holdfast/contracts';
import type { Result } from '../harness/report.ts';
import { holdfast } from './holdfast.ts';
import { partitionIds, swarm } from './swarm.ts';

const FEW = { peers: 10, k: 10, m: 4 } as const;

/** Ten peers cannot hold 14 shards apart: what has to come instead of a placement, with how many peers are missing. */
export function refusalResults(): Result[] {
  const [partition] = partitionIds(0, 1);
  try {
    holdfast.prepare(swarm('equal', FEW.peers), FEW, 1).place(partition!);
  } catch (error) {
    if (!HoldfastError.is(error, 'PLACEMENT_REFUSED')) throw error;
    const params = { swarm: 'equal', ...FEW, code: error.code, rule: String(error.details.rule) };
    const value = Number(error.details.morePeers);
    return [{ name: 'refused: peers missing', params, value, unit: 'peers', ratios: {} }];
  }
  throw new Error('14 shards were placed on ten peers.');
}
