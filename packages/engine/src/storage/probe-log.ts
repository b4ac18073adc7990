import { type Catalog, HoldfastError, type PeerId, type PeerProbe } from '@holdfast/contracts';

/** How peers answered during a run, for their uptimes; written down at its end. */
export class ProbeLog {
  readonly #probes: PeerProbe[] = [];

  /**
   * A round of questions. When nobody answered, and nobody is known to be there, it is more likely our own connection that
   * failed: that says nothing about peers.
   */
  note(
    answers: readonly { readonly peer: PeerId; readonly roundTripMs: number | null }[],
    at: number,
    othersAreThere: boolean,
  ): void {
    if (!othersAreThere && answers.every(({ roundTripMs }) => roundTripMs === null)) return;
    for (const answer of answers) this.#probes.push({ ...answer, at });
  }

  /** Not worth failing, or waiting, for: when another process writes, these probes are lost. */
  async write(catalog: Catalog): Promise<void> {
    const probes = this.#probes.splice(0);
    if (probes.length === 0) return;
    try {
      await catalog.recordProbes(probes);
    } catch (error) {
      if (!HoldfastError.is(error, 'BUSY')) throw error;
    }
  }
}
