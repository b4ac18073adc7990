import { HoldfastError, type PeerId, type Region } from '@holdfast/contracts';

/** A peer that may get shards: active, with a valid certificate, answering. Facts as the owner knows them. */
export interface Candidate {
  readonly id: PeerId;
  /** Peers of one operator count as one adversary. */
  readonly operator: string;
  readonly region: Region;
  /** Bytes that this owner may still store there. */
  readonly freeBytes: number;
  /** Bytes that it lends in all; `freeBytes` included. */
  readonly capacityBytes: number;
  /** Share of the load relative to the other candidates; default `freeBytes`. 0: only when nothing else is left. */
  readonly weight?: number;
}

export const weightOf = (candidate: Candidate): number => candidate.weight ?? candidate.freeBytes;

/** USAGE, naming field and value, for facts that would make every later comparison meaningless. */
export function checkCandidates(candidates: readonly Candidate[]): void {
  const seen = new Set<PeerId>();
  for (const candidate of candidates) {
    if (seen.has(candidate.id)) throw new HoldfastError('USAGE', `Peer ${candidate.id} is listed twice.`);
    seen.add(candidate.id);
    checkAmount(candidate, 'freeBytes', candidate.freeBytes);
    checkAmount(candidate, 'capacityBytes', candidate.capacityBytes);
    checkAmount(candidate, 'weight', weightOf(candidate));
    if (candidate.freeBytes > candidate.capacityBytes) {
      throw new HoldfastError(
        'USAGE',
        `Peer ${candidate.id}: freeBytes ${candidate.freeBytes} exceeds capacityBytes ${candidate.capacityBytes}.`,
      );
    }
  }
}

function checkAmount(candidate: Candidate, field: string, value: number): void {
  if (value >= 0 && value < Number.POSITIVE_INFINITY) return;
  throw new HoldfastError('USAGE', `Peer ${candidate.id}: ${field} is ${value}, not a number of at least 0.`);
}
