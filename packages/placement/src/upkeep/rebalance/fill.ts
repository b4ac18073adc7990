import type { PeerId } from '@holdfast/contracts';
import type { Candidate } from '../../candidate.ts';
import type { UpkeepState } from '../state.ts';
import { band, type RebalanceSettings } from './bands.ts';
import { type Share, wantedBytes } from './wanted.ts';

/** How full every peer is, of ours and in all, once what is planned is done; and what is wanted of it. */
export class Fill {
  readonly totalBytes: number;
  readonly #state: UpkeepState;
  readonly #settings: RebalanceSettings;
  readonly #ours = new Map<PeerId, number>();
  readonly #used = new Map<PeerId, number>();
  /** Bytes that a peer would have with a shard of every partition. */
  readonly #oneOfEach: number;
  readonly #largest: number;
  #wanted: ReadonlyMap<PeerId, number> = new Map();

  constructor(state: UpkeepState, settings: RebalanceSettings) {
    this.#state = state;
    this.#settings = settings;
    for (const { id, capacityBytes, freeBytes } of state.peers) this.#used.set(id, capacityBytes - freeBytes);
    for (const { holders, shardBytes } of state.partitions) {
      for (const peer of holders) {
        if (peer !== null) this.#ours.set(peer, this.ours(peer) + shardBytes);
      }
    }
    this.totalBytes = this.#ours.values().reduce((sum, bytes) => sum + bytes, 0);
    this.#oneOfEach = state.partitions.reduce((sum, { shardBytes }) => sum + shardBytes, 0);
    this.#largest = state.partitions.reduce((most, { shardBytes }) => Math.max(most, shardBytes), 0);
  }

  ours(peer: PeerId): number {
    return this.#ours.get(peer) ?? 0;
  }

  used(peer: PeerId): number {
    return this.#used.get(peer) ?? 0;
  }

  /** Bytes above (or, negative, below) what is wanted. */
  surplus(peer: PeerId): number {
    return this.ours(peer) - (this.#wanted.get(peer) ?? 0);
  }

  /** Width of the band around what is wanted in which nothing is begun, or gone on with. */
  band(peer: PeerId, which: 'startAt' | 'stopAt'): number {
    return band(this.#wanted.get(peer) ?? 0, this.#settings[which], this.#largest);
  }

  /** Bytes that a peer has above maxLoad less `slack`, ours and others'. */
  overload({ id, capacityBytes }: Candidate, slack: number): number {
    // Whole bytes: 0.7 − 0.02 is a little less than 0.68.
    return this.used(id) - Math.round(Math.max(0, this.#state.settings.maxLoad - slack) * capacityBytes);
  }

  move(from: PeerId, to: PeerId, bytes: number): void {
    this.#ours.set(from, this.ours(from) - bytes);
    this.#used.set(from, this.used(from) - bytes);
    this.#ours.set(to, this.ours(to) + bytes);
    this.#used.set(to, this.used(to) + bytes);
  }

  /** What is wanted of the candidates, for what they have together now. */
  settle(candidates: readonly Candidate[]): void {
    this.#wanted = wantedBytes(candidates.map((peer) => this.#share(peer)));
  }

  #share(peer: Candidate): Share {
    const ours = this.ours(peer.id);
    const { settings } = this.#state;
    const free = settings.off.includes('load')
      ? peer.capacityBytes - this.used(peer.id)
      : -this.overload(peer, this.#settings.loadSlack);
    return { peer, ours, most: Math.max(0, Math.min(this.#oneOfEach, ours + free)) };
  }
}
