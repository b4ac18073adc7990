import { HoldfastError, type PeerId, type Region } from '@holdfast/contracts';

/** A peer that may get shards: active, with a valid certificate, answering. Facts as the owner knows them. */
export interface Candidate {
  readonly id: PeerId;
  /** Peers of one operator count as one adversary. */
  readonly operator: string;
  readonly region: Region;
  /** What else may fail or be forced as one: a network, a building, a jurisdiction. Each counts as one adversary too. */
  readonly failureDomains?: readonly string[];
  /** Bytes that this owner may still store there. */
  readonly freeBytes: number;
  /** Bytes that it lends in all; `freeBytes` included. */
  readonly capacityBytes: number;
  // What follows is measured by the owner's own node. Absent: not measured yet, which speaks neither for nor against.
  /** Round trip in milliseconds. */
  readonly latencyMs?: number | undefined;
  /** Share of packets lost in the last 24 hours, 0 … 1. */
  readonly packetLoss?: number | undefined;
  /** 0 … 1 */
  readonly reputation?: number | undefined;
  /** How steady its connection is, 0 … 1. */
  readonly stability?: number | undefined;
  /** Share of time in which it answers, 0 … 1. */
  readonly uptime?: number | undefined;
  /** Share of the load relative to the other candidates instead of `weightOf`'s. 0: only when nothing else is left. */
  readonly weight?: number | undefined;
}

/** Reputation × capacity × stability, with free room for capacity, so that peers fill evenly. */
export const weightOf = (candidate: Candidate): number =>
  candidate.weight ?? candidate.freeBytes * (candidate.reputation ?? 1) * (candidate.stability ?? 1);

const SHARES = ['packetLoss', 'reputation', 'stability', 'uptime'] as const;

/** USAGE, naming peer, field and value, for facts that would make every later comparison meaningless. */
export function checkCandidates(candidates: readonly Candidate[]): void {
  const seen = new Set<PeerId>();
  for (const candidate of candidates) {
    if (seen.has(candidate.id)) throw new HoldfastError('USAGE', `Peer ${candidate.id} is listed twice.`);
    seen.add(candidate.id);
    checkCandidate(candidate);
  }
}

function checkCandidate(candidate: Candidate): void {
  const { id, freeBytes, capacityBytes, region, operator } = candidate;
  if (operator === '') throw unknown(id, 'operator', operator);
  // A part that is missing would make strangers neighbours: all of `/de` and `/fr` would lie on one continent.
  if (region.split('/').includes('')) throw unknown(id, 'region', region);
  checkAmount(candidate, 'freeBytes', freeBytes);
  checkAmount(candidate, 'capacityBytes', capacityBytes);
  checkAmount(candidate, 'latencyMs', candidate.latencyMs ?? 0);
  for (const field of SHARES) checkShare(candidate, field, candidate[field] ?? 0);
  checkAmount(candidate, 'weight', weightOf(candidate));
  if (freeBytes > capacityBytes) {
    const message = `Peer ${id}: freeBytes ${freeBytes} exceeds capacityBytes ${capacityBytes}.`;
    throw new HoldfastError('USAGE', message);
  }
}

const unknown = (id: PeerId, field: string, value: string): HoldfastError =>
  new HoldfastError('USAGE', `Peer ${id}: ${field} is "${value}".`, {
    hint: 'Say who runs the peer, and where it is: continent/country/site.',
    details: { peer: id, field, value },
  });

function checkAmount(candidate: Candidate, field: string, value: number): void {
  if (value >= 0 && value < Number.POSITIVE_INFINITY) return;
  throw new HoldfastError('USAGE', `Peer ${candidate.id}: ${field} is ${value}, not a number of at least 0.`);
}

function checkShare(candidate: Candidate, field: string, value: number): void {
  if (value >= 0 && value <= 1) return;
  throw new HoldfastError('USAGE', `Peer ${candidate.id}: ${field} is ${value}, not a number from 0 to 1.`);
}
