import { roomOf } from './answer.ts';
import { type CheckRequest, type CheckResult, fail, pass, unmeasured } from './check.ts';
import { beside, bytes } from './figures.ts';

/** Hard, by nature: the shard fits. */
export function checkRoom(request: CheckRequest): CheckResult {
  const room = roomOf(request);
  if (room === null) return unmeasured('room', 'hard', 'its room');
  const figures = `has ${beside(request.rules.shardBytes, room.freeBytes, bytes)} free; a shard takes ${bytes(request.rules.shardBytes)}`;
  return room.freeBytes >= request.rules.shardBytes
    ? pass('room', 'hard', figures)
    : fail('room', 'hard', figures);
}
