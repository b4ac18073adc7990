import type { Schedule } from '../steps.ts';
import type { DepartureSettings, Timeline } from './timeline.ts';

/**
 * One departing peer's transfers, evenly over the time that it has. With B_j the bytes of the first j of them, in order,
 * transfer j runs from B_{j−1} / B to B_j / B of the way from the window's begin to its end. The window ends at T, or later
 * if the bytes take longer than that: so each has at least bytes / bytesPerSecond, and all of the line for itself.
 */
export function spread(
  bytes: readonly number[],
  { transfersFrom, verifyAt }: Timeline,
  settings: DepartureSettings,
): Schedule[] {
  const total = bytes.reduce((sum, each) => sum + each, 0);
  const verify = { verifyFrom: verifyAt, verifyBy: verifyAt + settings.completeMs };
  let before = 0;
  return bytes.map((each) => {
    const at = (done: number): number =>
      Math.round(transfersFrom + (verifyAt - transfersFrom) * (done / total));
    const notBefore = at(before);
    before += each;
    return { notBefore, deadline: at(before), ...verify };
  });
}

/** Milliseconds that so many bytes take. */
export const transferMs = (bytes: number, bytesPerSecond: number): number => (bytes / bytesPerSecond) * 1000;
