import type { PeerId } from '@holdfast/contracts';

/** Peers ↔ small numbers from 1. A number is never given back: swarms are small beside what they store. */
export class PeerNumbers {
  readonly #numbers = new Map<PeerId, number>();
  readonly #peers: PeerId[] = [];

  /** Gives the peer a number if it has none. */
  of(peer: PeerId): number {
    const known = this.#numbers.get(peer);
    if (known !== undefined) return known;
    const number = this.#peers.push(peer);
    this.#numbers.set(peer, number);
    return number;
  }

  peer(number: number): PeerId {
    return this.#peers[number - 1]!;
  }

  get count(): number {
    return this.#peers.length;
  }
}
