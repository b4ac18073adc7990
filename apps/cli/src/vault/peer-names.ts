import type { PeerId, PeerRecord } from '@holdfast/contracts';

/** Peers by the names that the owner gave them; the end of the id for those no longer known. */
export class PeerNames {
  readonly #names: ReadonlyMap<PeerId, string>;

  constructor(peers: readonly PeerRecord[]) {
    this.#names = new Map(peers.map((peer) => [peer.id, peer.name]));
  }

  of(id: PeerId): string {
    return this.#names.get(id) ?? `…${id.slice(-8)}`;
  }

  /** A message with names in the place of ids, which nobody can tell apart. */
  inWords(message: string): string {
    return message.replace(/(?:\bPeer )?\b(12D3KooW[1-9A-HJ-NP-Za-km-z]{44})/g, (_, id: PeerId) =>
      this.of(id),
    );
  }
}
