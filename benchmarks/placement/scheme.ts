import type { PartitionId, PeerId } from '@holdfast/contracts';
import type { BenchPeer, Shape } from './swarm.ts';

/** A way to choose peers for partitions. */
export interface Scheme {
  readonly name: string;
  /** @param unitWeight what counts as a weight of 1, the same for all variants of a swarm that are compared. */
  prepare(peers: readonly BenchPeer[], shape: Shape, unitWeight: number): Placer;
}

export interface Placer {
  /** k + m different peers. The array may be used again by the next call. */
  place(partition: PartitionId): readonly PeerId[];
}
