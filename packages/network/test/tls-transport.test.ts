import type { PeerId, ShardStore } from '@holdfast/contracts';
import { MemoryShardStore } from '@holdfast/testing/memory-shard-store';
import { shardTransportContract } from '@holdfast/testing/shard-transport-contract';
import { type ShardServer, tlsTransport } from '../src/index.ts';
import { type Addresses, newAuthority, newMember, serveTest } from './swarm.ts';

/** Lets a test make all of a store's operations wait for ever. */
function hangable(store: ShardStore): { store: ShardStore; hang: () => void } {
  let hung = false;
  const wrapped = new Proxy(store, {
    get: (target, name) => {
      const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) =>
        hung && name !== 'close' ? new Promise(() => {}) : method.apply(target, args);
    },
  });
  return {
    store: wrapped,
    hang: () => {
      hung = true;
    },
  };
}

shardTransportContract('TLS', async (options) => {
  const authority = await newAuthority();
  const addresses: Addresses = new Map();
  const running = new Map<PeerId, ShardServer>();
  const made = await Promise.all(
    [0, 1].map(async () => {
      const credentials = await newMember(authority);
      const memory = new MemoryShardStore(options);
      return { id: credentials.identity.id, credentials, memory, ...hangable(memory) };
    }),
  );
  const peer = (id: PeerId) => made.find((each) => each.id === id)!;
  const start = async (id: PeerId): Promise<void> => {
    const { store, credentials } = peer(id);
    const port = addresses.get(id)?.port ?? 0;
    const server = await serveTest(store, credentials, { port, limits: { drainTimeout: 50 } });
    running.set(id, server);
    addresses.set(id, { host: server.host, port: server.port });
  };
  for (const { id } of made) await start(id);
  const owner = await newMember(authority, { role: 'owner' });
  return {
    transport: tlsTransport({ credentials: owner, peers: (id) => addresses.get(id) }),
    peers: [made[0]!.id, made[1]!.id],
    start,
    stop: (id) => running.get(id)!.close(),
    hang: async (id) => peer(id).hang(),
    damage: async (id, shard) => {
      peer(id).memory.damage(shard);
    },
    dispose: async () => {
      await Promise.all([...running.values()].map((server) => server.close()));
    },
  };
});
