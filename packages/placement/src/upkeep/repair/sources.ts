import type { PeerId } from '@holdfast/contracts';
import type { PartitionState } from '../state.ts';
import type { MakeStep } from '../steps.ts';

export interface Sources extends Pick<MakeStep, 'sources' | 'helpers'> {
  /** Fetched once, however many shards are made of it. */
  readonly readBytes: number;
}

/**
 * What to read to make `wanted` shards. One shard of a Clay code comes from a part of each of d helpers (which of those that can
 * be reached, the code says: some it cannot do without); otherwise k whole shards, from peers that this plan reads least of.
 * Null where too few can be read.
 */
export function chooseSources(
  partition: PartitionState,
  wanted: number,
  unreadable: ReadonlySet<PeerId>,
  reads: Map<PeerId, number>,
): Sources | null {
  const { k, helpers = 0, holders, shardBytes } = partition;
  const readable = holders.flatMap((peer, index) =>
    peer === null || unreadable.has(peer) ? [] : [{ index, peer }],
  );
  if (helpers > 0 && wanted === 1 && readable.length >= helpers) {
    return { sources: readable, helpers, readBytes: (helpers * shardBytes) / (helpers - k + 1) };
  }
  if (readable.length < k) return null;
  const load = ({ peer }: { readonly peer: PeerId }): number => reads.get(peer) ?? 0;
  const sources = readable.toSorted((a, b) => load(a) - load(b) || a.index - b.index).slice(0, k);
  for (const source of sources) reads.set(source.peer, load(source) + shardBytes);
  return { sources, helpers: 0, readBytes: k * shardBytes };
}
