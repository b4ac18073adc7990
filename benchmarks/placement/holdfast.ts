import type { PartitionId } from '@holdfast/contracts';
import { Assigner, auditPlacement, defaultRules, type RecordedPlacement } from '@holdfast/placement';
import type { Placer, Scheme } from './scheme.ts';
import type { BenchPeer, Shape } from './swarm.ts';

const SALT = Uint8Array.from({ length: 32 }, (_, i) => i);

const assignerOf = (peers: readonly BenchPeer[], { k, m }: Shape): Assigner =>
  new Assigner({ candidates: peers, rules: defaultRules(k, m), salt: SALT });

export const holdfast: Scheme = {
  name: 'holdfast',
  prepare: (peers, shape): Placer => {
    const assigner = assignerOf(peers, shape);
    return { place: (partition) => assigner.assign(partition).peers };
  },
};

/** Placements as they would be recorded, with the facts of their holders. */
export function recordsOf(
  peers: readonly BenchPeer[],
  shape: Shape,
  partitions: readonly PartitionId[],
): RecordedPlacement[] {
  const assigner = assignerOf(peers, shape);
  const rules = defaultRules(shape.k, shape.m);
  const known = new Map(peers.map((peer) => [peer.id, peer]));
  return partitions.map((partition) => {
    const { peers: chosen, relaxations } = assigner.assign(partition);
    const placed = chosen.map((peer, index) => ({ index, peer }));
    const facts = new Map(chosen.map((peer) => [peer, known.get(peer)!]));
    return { partition, placed, facts, rules, relaxations, now: 0 };
  });
}

/** What is checked of a placement before anything is sent. Throws if our own does not pass. */
export function verify(record: RecordedPlacement): void {
  const [violation] = auditPlacement(record).violations;
  if (violation) throw new Error(`Our own placement is wrong: ${violation.message}`);
}
