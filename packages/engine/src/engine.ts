import { HoldfastError, type SnapshotId, type Stripe } from '@holdfast/contracts';
import { clayGeometry } from '@holdfast/erasure/clay-shape';
import type {
  BackupReport,
  BackupRequest,
  Engine,
  EngineContext,
  RepairReport,
  RepairRequest,
  RestoreReport,
  RestoreRequest,
  RunOptions,
  SnapshotObject,
  VerifyReport,
  VerifyRequest,
} from './api.ts';
import { BackupManager } from './backup/backup-manager.ts';
import { checkPlacement } from './placement-policy.ts';
import { repairSnapshots } from './repair/repair-run.ts';
import { ReadSession } from './restore/read-session.ts';
import { restoreSnapshot } from './restore/restore-run.ts';
import { verifySnapshots } from './restore/verify-run.ts';

/** The production engine: use cases on ports, nothing between runs but what the catalog and the peers keep. */
export class HoldfastEngine implements Engine {
  readonly #context: EngineContext;
  readonly #backups: BackupManager;

  private constructor(context: EngineContext) {
    this.#context = context;
    this.#backups = new BackupManager(context);
  }

  /** CODE_PARAMETERS for a policy that could not protect anything, USAGE for placement rules that contradict themselves. */
  static async create(context: EngineContext): Promise<Engine> {
    checkPolicy(context.policy);
    return new HoldfastEngine(context);
  }

  backup(request: BackupRequest): Promise<BackupReport> {
    return this.#backups.backup(request);
  }

  restore(request: RestoreRequest): Promise<RestoreReport> {
    return restoreSnapshot(this.#context, request);
  }

  verify(request: VerifyRequest): Promise<VerifyReport> {
    return verifySnapshots(this.#context, request);
  }

  repair(request: RepairRequest): Promise<RepairReport> {
    return repairSnapshots(this.#context, request);
  }

  objects(snapshot: SnapshotId, options: RunOptions = {}): AsyncIterable<SnapshotObject> {
    return ReadSession.stream(this.#context, options, async function* (session) {
      const reader = await session.open(await session.record(snapshot));
      for await (const record of reader.records()) {
        if (record.type !== 'object') continue;
        const { path, kind, attributes, size } = record.object;
        yield { path, kind, attributes, size };
      }
    });
  }

  partitions(snapshot: SnapshotId, options: RunOptions = {}): Promise<Stripe[]> {
    return ReadSession.complete(this.#context, options, async (session) => {
      const record = await session.record(snapshot);
      const reader = await session.open(record);
      const stripes = [record.manifest, ...reader.manifest.metadata.partitions];
      for await (const stripe of reader.stripes()) stripes.push(stripe);
      return stripes;
    });
  }

  /** Threads belong to runs and end with them; there is nothing left to end. */
  async close(): Promise<void> {}
}

function checkPolicy(policy: EngineContext['policy']): void {
  const { k, m, helpers, maxPerOperator } = policy;
  if (k < 2 || m < 1 || k + m > 255) {
    throw new HoldfastError('CODE_PARAMETERS', `A policy of k=${k}, m=${m} is not possible.`, {
      hint: 'Choose k of at least 2 (with 1 a single peer could read everything), m of at least 1, and k + m at most 255.',
    });
  }
  if (helpers !== 0) clayGeometry({ k, m, helpers });
  if (maxPerOperator < 1 || maxPerOperator > k - 1) {
    throw new HoldfastError(
      'CODE_PARAMETERS',
      `At most ${k - 1} shards of a partition may go to one operator, not ${maxPerOperator}.`,
      {
        hint: 'Set maxPerOperator between 1 and k − 1: with k shards an operator could read the partition.',
      },
    );
  }
  checkPlacement(policy);
}
