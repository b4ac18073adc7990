import { roomOf } from './answer.ts';
import { type CheckRequest, type CheckResult, fail, pass, unmeasured } from './check.ts';
import { beside, percent } from './figures.ts';

/** Soft: with the shard, the peer still uses no more of its capacity than it should. */
export function checkLoad(request: CheckRequest): CheckResult {
  const { shardBytes, maxLoad } = request.rules;
  const room = roomOf(request);
  if (room === null) return unmeasured('load', 'soft', 'its load');
  const used = room.capacityBytes - room.freeBytes + shardBytes;
  const figures =
    room.capacityBytes === 0
      ? 'lends nothing'
      : `with the shard, ${beside(maxLoad, used / room.capacityBytes, percent)} of its capacity is used; ` +
        `at most ${percent(maxLoad)} is wanted`;
  return used <= maxLoad * room.capacityBytes ? pass('load', 'soft', figures) : fail('load', 'soft', figures);
}
