import type { PeerId, ShardStore } from '@holdfast/contracts';
import { MemoryShardStore } from '../src/memory-shard-store.ts';
import { memoryTransport } from '../src/memory-transport.ts';
import { samplePeerId } from '../src/sample-shards.ts';
import { shardStoreContract } from '../src/shard-store-contract.ts';
import { shardTransportContract } from '../src/shard-transport-contract.ts';

shardStoreContract('memory', async (options) => {
  const store = new MemoryShardStore(options);
  return {
    store,
    damage: async (id) => {
      store.damage(id);
    },
    dispose: async () => {},
  };
});

shardTransportContract('memory', async (options) => {
  const peers: [PeerId, PeerId] = [samplePeerId(1), samplePeerId(2)];
  const stores = new Map<PeerId, MemoryShardStore>(
    peers.map((peer) => [peer, new MemoryShardStore(options)]),
  );
  const transport = memoryTransport(stores as ReadonlyMap<PeerId, ShardStore>, samplePeerId('owner'));
  return {
    transport,
    peers,
    stop: async (peer) => {
      transport.faults(peer).down = true;
    },
    start: async (peer) => {
      transport.faults(peer).down = false;
    },
    hang: async (peer) => {
      transport.faults(peer).delay = 3_600_000;
    },
    damage: async (peer, id) => {
      stores.get(peer)!.damage(id);
    },
    dispose: async () => {},
  };
});
