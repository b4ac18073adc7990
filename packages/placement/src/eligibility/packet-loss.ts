import { type CheckRequest, type CheckResult, fail, pass, unmeasured } from './check.ts';
import { beside, percent } from './figures.ts';

/** Soft, strictly less than the limit: exactly 5 % is too much. */
export function checkPacketLoss({ observation, rules }: CheckRequest): CheckResult {
  const { packetLoss } = observation;
  if (packetLoss === undefined) return unmeasured('packet-loss', 'soft', 'its packet loss');
  const figures =
    `lost ${beside(rules.maxPacketLoss, packetLoss, percent)} of packets in the last 24 h; ` +
    `less than ${percent(rules.maxPacketLoss)} is wanted`;
  return packetLoss < rules.maxPacketLoss
    ? pass('packet-loss', 'soft', figures)
    : fail('packet-loss', 'soft', figures);
}
