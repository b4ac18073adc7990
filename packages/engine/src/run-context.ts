import type { SnapshotId } from '@holdfast/contracts';
import type { EngineContext, Policy, RunOptions } from './api.ts';
import { TaskGroup } from './flow/task-group.ts';
import { policyOf } from './placement-policy.ts';
import { ProgressMeter } from './progress-meter.ts';
import { EncryptionManager } from './sealing/encryption-manager.ts';
import { ShardManager } from './shards/shard-manager.ts';
import { StorageManager } from './storage/storage-manager.ts';

/** Keys rotate by epoch; new data goes under the newest. Rotation itself is not built yet: there is one epoch. */
const EPOCH = 1;

/** What every run needs, made for it and ending with it: tasks, progress, peers, threads. */
export class RunContext {
  readonly engine: EngineContext;
  /** What this run's snapshot is made under, where it makes one. */
  readonly policy: Policy;
  readonly tasks: TaskGroup;
  readonly meter: ProgressMeter;
  readonly storage: StorageManager;
  readonly shards: ShardManager;
  readonly encryption: EncryptionManager;

  /** @param snapshot that the run will make */
  constructor(engine: EngineContext, options: RunOptions, snapshot?: SnapshotId) {
    const { clock, random, catalog, transport, keys, workers } = engine;
    const { onEvent } = options;
    const placementSalt = keys.placementSalt();
    const policy = snapshot === undefined ? engine.policy : policyOf(engine.policy, snapshot, placementSalt);
    this.engine = engine;
    this.policy = policy;
    this.tasks = new TaskGroup(options.signal);
    this.meter = new ProgressMeter(clock, options.onProgress);
    this.storage = new StorageManager({
      catalog,
      transport,
      clock,
      failureDomains: policy.placement?.failureDomains,
      onEvent,
    });
    this.shards = new ShardManager({
      transport,
      catalog,
      clock,
      random,
      storage: this.storage,
      policy,
      placementSalt,
      shardId: (epoch, partition, index) => keys.shardId(epoch, partition, index),
      onEvent,
    });
    this.encryption = new EncryptionManager({
      keys,
      policy,
      random,
      epoch: EPOCH,
      workers,
      reserveNumbers: (count) => catalog.reservePartitionNumbers(count),
      onEvent,
    });
    // Threads that wait for a free arena would otherwise never answer, and the tasks that wait for them never end.
    this.tasks.signal.addEventListener('abort', () => void this.encryption.close(), { once: true });
  }

  /** Ends what still runs, waits for it (buffers are on loan until then), and keeps what was learnt about peers. */
  async close(reason: unknown): Promise<void> {
    this.tasks.fail(reason);
    await this.tasks.settle().catch(() => {});
    await this.encryption.close();
    await this.storage.recordEvents();
  }
}
