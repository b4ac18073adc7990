import type { PeerStatus } from '@holdfast/contracts';
import { type CheckRequest, type CheckResult, fail, pass } from './check.ts';

const AMOUNTS = ['capacityBytes', 'usedBytes', 'ownerQuotaBytes', 'ownerUsedBytes'] as const;

/**
 * Hard. A status is the peer's own word: figures that cannot be true rule it out instead of spoiling the comparison with
 * others.
 */
export function checkAnswer({ observation }: CheckRequest): CheckResult {
  const { record, status } = observation;
  if (status === undefined) return pass('answer', 'hard', 'its status is not known yet');
  if (status.id !== record.id) return fail('answer', 'hard', `answers as ${status.id}`);
  const wrong = AMOUNTS.find((field) => !Number.isSafeInteger(status[field]) || status[field] < 0);
  return wrong === undefined
    ? pass('answer', 'hard', 'answers sensibly')
    : fail('answer', 'hard', `reports ${wrong} ${status[wrong]}`);
}

export interface Room {
  /** Bytes that this owner may still store. */
  readonly freeBytes: number;
  /** Bytes lent in all, of which they are. */
  readonly capacityBytes: number;
}

/** Whichever is tighter for this owner: the peer's disk or the owner's quota on it. */
export function roomFor(status: PeerStatus): Room {
  const disk = Math.max(0, status.capacityBytes - status.usedBytes);
  const quota = Math.max(0, status.ownerQuotaBytes - status.ownerUsedBytes);
  return disk <= quota
    ? { freeBytes: disk, capacityBytes: status.capacityBytes }
    : { freeBytes: quota, capacityBytes: status.ownerQuotaBytes };
}

/** Null where the status is missing, or is no base for sums. */
export function roomOf(request: CheckRequest): Room | null {
  const { status } = request.observation;
  return status !== undefined && checkAnswer(request).passed ? roomFor(status) : null;
}
