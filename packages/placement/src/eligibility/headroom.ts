import { roomOf } from './answer.ts';
import { type CheckRequest, type CheckResult, fail, pass, unmeasured } from './check.ts';
import { beside, bytes } from './figures.ts';

/** Soft, a part of the load rule: room to spare, so that the peer can take part in repairs. */
export function checkHeadroom(request: CheckRequest): CheckResult {
  const { shardBytes, headroomShards } = request.rules;
  const room = roomOf(request);
  if (room === null) return unmeasured('headroom', 'soft', 'its room');
  const wanted = headroomShards * shardBytes;
  const figures =
    `has ${beside(wanted, room.freeBytes, bytes)} free; at least ${headroomShards} shards' room, ` +
    `${bytes(wanted)}, is wanted`;
  return room.freeBytes >= wanted ? pass('headroom', 'soft', figures) : fail('headroom', 'soft', figures);
}
