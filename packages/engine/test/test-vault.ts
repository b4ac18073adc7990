import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Clock,
  type PartitionId,
  type PartitionJournal,
  type PeerId,
  type PlacementNote,
  peerIdFromKey,
  type Random,
  type Stripe,
} from '@holdfast/contracts';
import { systemRandom, VaultKeys } from '@holdfast/crypto';
import { MemoryCatalog } from '@holdfast/testing/memory-catalog';
import { MemoryShardStore } from '@holdfast/testing/memory-shard-store';
import { type MemoryTransport, memoryTransport } from '@holdfast/testing/memory-transport';
import type { Engine, EngineContext, Policy } from '../src/index.ts';
import { HoldfastEngine } from '../src/index.ts';

// Each run starts threads, which would compile their modules anew each time; they learn of the cache by this alone.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'node-compile-cache');

export const wallClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (milliseconds, options) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, milliseconds);
      options?.signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(options.signal!.reason);
      });
    }),
};

const REGIONS = ['eu/de/berlin', 'eu/fr/paris', 'na/us/nyc', 'as/jp/tokyo'];

export const POLICY: Policy = {
  version: 1,
  k: 3,
  m: 2,
  helpers: 0,
  maxPerOperator: 2,
  compressionLevel: 1,
  leaseDays: 30,
};

/** Remembers every partition that there ever was, whatever became of it: separation counts them all. */
export class RecordingCatalog extends MemoryCatalog {
  readonly partitionsEver = new Map<PartitionId, Stripe>();
  readonly journalsEver: PartitionJournal[] = [];

  override async journalPartition(journal: PartitionJournal, placement?: PlacementNote): Promise<void> {
    this.journalsEver.push(journal);
    this.partitionsEver.set(journal.stripe.id, journal.stripe);
    await super.journalPartition(journal, placement);
  }
}

export interface TestVault {
  readonly engine: Engine;
  readonly context: EngineContext;
  readonly catalog: RecordingCatalog;
  readonly transport: MemoryTransport;
  readonly stores: Map<PeerId, MemoryShardStore>;
  readonly peers: PeerId[];
  /** The same vault and peers after a restart of the owner's process. */
  reopen(changes?: Partial<EngineContext>): Promise<Engine>;
  close(): Promise<void>;
}

/** A whole swarm in memory with the production engine on top. */
export async function testVault(
  options: { peers?: number; operators?: number; workers?: number; policy?: Policy; random?: Random } = {},
): Promise<TestVault> {
  const cacheDirectory = await mkdtemp(join(tmpdir(), 'holdfast-engine-'));
  const peers = Array.from({ length: options.peers ?? 8 }, () => peerIdFromKey(randomBytes(32)));
  const owner = peerIdFromKey(randomBytes(32));
  const stores = new Map(peers.map((id) => [id, new MemoryShardStore({ capacityBytes: 1024 ** 3 })]));
  const catalog = new RecordingCatalog();
  for (const [i, id] of peers.entries()) {
    const region = REGIONS[i % REGIONS.length]!;
    await catalog.putPeer({
      id,
      name: `peer${i}`,
      operator: `operator${i % (options.operators ?? peers.length)}`,
      region,
      host: 'memory',
      port: 1,
      state: 'active',
    });
  }
  const transport = memoryTransport(stores, owner);
  const context: EngineContext = {
    clock: wallClock,
    random: options.random ?? systemRandom,
    catalog,
    transport,
    keys: VaultKeys.fromRoot(randomBytes(32)),
    owner,
    policy: options.policy ?? POLICY,
    cacheDirectory,
    workers: options.workers ?? 1,
  };
  return {
    engine: await HoldfastEngine.create(context),
    context,
    catalog,
    transport,
    stores,
    peers,
    reopen: (changes) => HoldfastEngine.create({ ...context, ...changes }),
    close: () => rm(cacheDirectory, { recursive: true, force: true }),
  };
}
