import { KiB, type ShardStore } from '@holdfast/contracts';
import fc from 'fast-check';
import { hashOf, sampleBytes, samplePeerId, sampleShard, sampleShardId } from './sample-shards.ts';

const SMALL = 64 * KiB;
const owner = samplePeerId('owner');
const stranger = samplePeerId('stranger');
const label = fc.nat({ max: 7 });
const who = fc.constantFrom(owner, stranger);
export const operation = fc.oneof(
  fc.record({
    do: fc.constant('put' as const),
    who,
    label,
    content: fc.nat({ max: 1 }),
    lease: fc.nat({ max: 9 }),
  }),
  fc.record({ do: fc.constant('get' as const), who, label }),
  fc.record({ do: fc.constant('delete' as const), who, label }),
  fc.record({ do: fc.constant('lease' as const), who, label, lease: fc.nat({ max: 9 }) }),
  fc.record({ do: fc.constant('list' as const), who, label }),
  fc.record({ do: fc.constant('head' as const), who, label }),
);
export type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Everything that can be seen of one operation: its result, or the code it failed with. */
export async function outcome(store: ShardStore, step: Operation): Promise<unknown> {
  const { who, label } = step;
  const id = sampleShardId(label);
  try {
    switch (step.do) {
      case 'put': {
        const shard = sampleShard(step.content * 100 + label, SMALL, step.lease);
        return await store.put(who, { ...shard, id });
      }
      case 'get':
        return hashOf(await store.get(who, id));
      case 'delete':
        return await store.delete(who, id);
      case 'lease':
        return await store.lease(who, [id], step.lease);
      case 'list':
        return [await store.list(who, { after: id, limit: 3 }), await store.usage(who)];
      case 'head':
        await store.putHead(who, { sequence: label, bytes: sampleBytes(label, 10) });
        return await store.getHead(who);
    }
  } catch (error) {
    return (error as { code: unknown }).code;
  }
}
