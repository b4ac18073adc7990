import type { PartitionId, PeerId } from '@holdfast/contracts';
import type { Relaxation } from '../placement-rules.ts';
import type { Chosen } from './ledger.ts';

/** Soft rules that a planned move gives up, to be recorded with the partition's placement once it is done. */
export interface RelaxedMove {
  readonly partition: PartitionId;
  readonly index: number;
  readonly to: PeerId;
  readonly relaxations: readonly Relaxation[];
}

export const relaxedMove = (
  partition: PartitionId,
  index: number,
  { to, relaxations }: Chosen,
): RelaxedMove[] => (relaxations.length === 0 ? [] : [{ partition, index, to, relaxations }]);
