import { type CheckRequest, type CheckResult, pass, unmeasured } from './check.ts';
import { short } from './figures.ts';

/** No reason against one peer: the limit is for the average over a placement, where near peers make up for far ones. */
export function checkLatency({ observation, rules }: CheckRequest): CheckResult {
  const { latencyMs } = observation;
  if (latencyMs === undefined) return unmeasured('latency', 'information', 'its round trip');
  const figures = `its round trip takes ${short(latencyMs)} ms; a placement should average under ${rules.maxLatencyMs} ms`;
  return pass('latency', 'information', figures);
}
