import { HoldfastError } from '@holdfast/contracts';

/** A ratio of logarithms this near to a whole number is that number. */
const NEAR = 1e-9;

/**
 * R of the document's formula, ceil(log(1 − SLA) / log(P_peer_failure)): so many independent holders are all down for no more than
 * `unavailability` of the time. USAGE unless both lie strictly between 0 and 1.
 */
export function formulaReplication(unavailability: number, peerFailure: number): number {
  probability('unavailability', unavailability);
  probability('peerFailure', peerFailure);
  const ratio = Math.log(unavailability) / Math.log(peerFailure);
  const nearest = Math.round(ratio);
  const whole = Math.abs(ratio - nearest) <= NEAR * Math.max(1, nearest) ? nearest : Math.ceil(ratio);
  return Math.max(1, whole);
}

function probability(field: string, value: number): void {
  if (value > 0 && value < 1) return;
  throw new HoldfastError('USAGE', `${field} is ${value}; it must lie between 0 and 1, both excluded.`, {
    details: { field, value },
  });
}

/** How many holders the document wants for a partition, step by step. All are replication factors R. */
export interface Replication {
  /** Of the level's row in the table. */
  readonly floor: number;
  readonly formula: number;
  /** R_min, the larger of the two. */
  readonly minimum: number;
  readonly separation: number;
  /** R_min + C_separation. */
  readonly effective: number;
  /** 1 + churn / 0.1. */
  readonly churnFactor: number;
  /** max(1, 100 / peers). */
  readonly peerFactor: number;
  /** The document's `calculate_dynamic_replication`: a wish, which nobody is promised. */
  readonly asked: number;
  /** The same without the peer factor: what is aimed at. */
  readonly wanted: number;
}

/**
 * The peer factor is left out of what is aimed at: it makes up for not knowing how a small swarm behaves, and the exact
 * calculation knows. Churn stays: uptimes say nothing of peers that leave for good.
 */
export function replicationWanted(request: {
  readonly floor: number;
  readonly unavailability: number;
  readonly peerFailure: number;
  readonly separation: number;
  readonly churnPerDay: number;
  readonly peers: number;
}): Replication {
  const { floor, separation, peers } = request;
  const formula = formulaReplication(request.unavailability, request.peerFailure);
  const minimum = Math.max(floor, formula);
  const churnFactor = 1 + request.churnPerDay / 0.1;
  const peerFactor = Math.max(1, 100 / Math.max(1, peers));
  return {
    floor,
    formula,
    minimum,
    separation,
    effective: minimum + separation,
    churnFactor,
    peerFactor,
    asked: rounded(minimum * churnFactor * peerFactor + separation),
    wanted: rounded(minimum * churnFactor + separation),
  };
}

/** Up, but not for the noise of a product that should have been whole. */
const rounded = (value: number): number => Math.ceil(value - NEAR * value);
