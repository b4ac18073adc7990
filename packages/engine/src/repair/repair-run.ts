import type { Stripe } from '@holdfast/contracts';
import type { EngineContext, RepairReport, RepairRequest, UnrepairedShard } from '../api.ts';
import { ByteBudget } from '../flow/byte-budget.ts';
import { PartitionUse } from '../restore/partition-use.ts';
import { ReadSession } from '../restore/read-session.ts';
import type { ShardSurvey } from '../shards/shard-survey.ts';
import { repairStripe } from './repair-stripe.ts';

/** Partitions worked on at once. */
const AT_ONCE = 4;

export function repairSnapshots(context: EngineContext, request: RepairRequest): Promise<RepairReport> {
  return ReadSession.complete(context, request, (session) => new RepairRun(session).execute(request));
}

/**
 * Brings every partition back to its full number of shards as far as the peers that should have them answer. Placements stay as
 * they are: a shard goes back to where the manifest says that it is, so no metadata changes and no rule of separation is touched.
 */
class RepairRun {
  readonly #session: ReadSession;
  readonly #failed: UnrepairedShard[] = [];
  readonly #lost: Stripe[] = [];
  #damagedPartitions = 0;
  #repairedShards = 0;
  #repairedFromParts = 0;
  #repairedBytes = 0;
  #fetchedBytes = 0;

  constructor(session: ReadSession) {
    this.#session = session;
  }

  async execute(request: RepairRequest): Promise<RepairReport> {
    const { engine, storage, shards, tasks, meter } = this.#session.run;
    const started = engine.clock.monotonic();
    const use = await PartitionUse.collect(this.#session, request.snapshot);
    const answers = await shards.survey(use.stripes(), tasks.signal);
    const suspects = [...answers].filter(([, { missing }]) => request.read || missing.size > 0);
    const bytesOf = (stripe: Stripe): number => stripe.sizeClass * stripe.shards.length;
    meter.expect(
      suspects.reduce((sum, [stripe]) => sum + bytesOf(stripe), 0),
      null,
    );
    meter.phase('transfer');
    const slots = new ByteBudget(AT_ONCE);
    for (const [stripe, survey] of suspects) {
      await slots.acquire(1, tasks.signal);
      tasks.run(async () => {
        await this.#repair(stripe, survey, request.read);
        meter.add({ bytes: bytesOf(stripe) });
        slots.release(1);
      });
    }
    await tasks.settle();
    return {
      snapshots: use.snapshots,
      partitions: use.stripes().length,
      damagedPartitions: this.#damagedPartitions,
      repairedShards: this.#repairedShards,
      repairedFromParts: this.#repairedFromParts,
      repairedBytes: this.#repairedBytes,
      fetchedBytes: this.#fetchedBytes,
      unreachableShards: [...answers].reduce(
        (sum, [{ shards: all }, { present, missing }]) => sum + all.length - present.size - missing.size,
        0,
      ),
      failed: this.#failed,
      lost: this.#lost.map((stripe) => ({ partition: stripe.id, snapshots: use.usedBy(stripe) })),
      faults: storage.faults(),
      seconds: (engine.clock.monotonic() - started) / 1000,
    };
  }

  async #repair(stripe: Stripe, survey: ShardSurvey, read: boolean): Promise<void> {
    const { run } = this.#session;
    const onFetched = (bytes: number): void => {
      this.#fetchedBytes += bytes;
      run.meter.add({ transferredBytes: bytes });
    };
    const outcome = await repairStripe(run, stripe, survey, { read, onFetched });
    const { wanting, repaired, fromParts, failed, lost } = outcome;
    if (wanting > 0) this.#damagedPartitions++;
    this.#repairedShards += repaired;
    if (fromParts) this.#repairedFromParts += repaired;
    this.#repairedBytes += repaired * stripe.sizeClass;
    this.#failed.push(...failed);
    if (lost) this.#lost.push(stripe);
  }
}
