import { lockVault } from '@holdfast/catalog';
import { HoldfastError, type PeerProbe } from '@holdfast/contracts';
import type { OpenSwarm } from './open-swarm.ts';
import type { Probe } from './probe.ts';

/**
 * Keeps how peers answered, for their uptimes. Quietly not while another command writes: it keeps its own. When nobody
 * answered, our own connection is the likelier reason, and nothing is kept.
 * @returns what went wrong otherwise, which is no reason for the command to fail.
 */
export async function recordProbes(
  { directory, catalog }: Pick<OpenSwarm, 'directory' | 'catalog'>,
  probes: readonly Probe[],
  at: number,
): Promise<HoldfastError | null> {
  const asked = probes.filter(({ peer }) => peer.state === 'active');
  if (!asked.some(({ status }) => status !== null)) return null;
  const found = asked.map(
    ({ peer, roundTrip }): PeerProbe => ({ peer: peer.id, at, roundTripMs: roundTrip }),
  );
  try {
    const lock = lockVault(directory, 0);
    try {
      await catalog.recordProbes(found);
    } finally {
      lock.release();
    }
    return null;
  } catch (error) {
    if (!HoldfastError.is(error)) throw error;
    return error.code === 'BUSY' ? null : error;
  }
}
