import { HoldfastError, type Stripe } from '@holdfast/contracts';
import type { EngineContext, PartitionHealth, VerifyReport, VerifyRequest } from '../api.ts';
import { ByteBudget } from '../flow/byte-budget.ts';
import type { BorrowedArena } from '../sealing/encryption-manager.ts';
import type { FetchOutcome } from '../shards/fetch-race.ts';
import { PartitionUse } from './partition-use.ts';
import { ReadSession } from './read-session.ts';

/** Partitions fetched whole at once. */
const AT_ONCE = 4;

export function verifySnapshots(context: EngineContext, request: VerifyRequest): Promise<VerifyReport> {
  return ReadSession.complete(context, request, (session) => new VerifyRun(session).execute(request));
}

/** Fetches every shard of the chosen partitions and takes them through everything a restore would do but writing. */
class VerifyRun {
  readonly #session: ReadSession;
  readonly #damaged: PartitionHealth[] = [];
  readonly #lost: Stripe[] = [];
  #checkedShards = 0;
  #checkedBytes = 0;

  constructor(session: ReadSession) {
    this.#session = session;
  }

  async execute(request: VerifyRequest): Promise<VerifyReport> {
    const { engine, storage, meter, tasks } = this.#session.run;
    const started = engine.clock.monotonic();
    const use = await PartitionUse.collect(this.#session, request.snapshot);
    const stripes = use.stripes();
    const chosen = this.#choose(stripes, request.sample);
    meter.expect(
      chosen.reduce((sum, stripe) => sum + stripe.sizeClass * stripe.shards.length, 0),
      null,
    );
    meter.phase('transfer');
    const slots = new ByteBudget(AT_ONCE);
    for (const stripe of chosen) {
      await slots.acquire(1, tasks.signal);
      tasks.run(async () => {
        await this.#check(stripe);
        slots.release(1);
      });
    }
    await tasks.settle();
    return {
      snapshots: use.snapshots,
      partitions: stripes.length,
      checkedPartitions: chosen.length,
      checkedShards: this.#checkedShards,
      checkedBytes: this.#checkedBytes,
      damaged: this.#damaged.sort((a, b) => a.margin - b.margin || a.number - b.number),
      lost: this.#lost.map((stripe) => ({ partition: stripe.id, snapshots: use.usedBy(stripe) })),
      faults: storage.faults(),
      seconds: (engine.clock.monotonic() - started) / 1000,
      restorable: this.#lost.length === 0,
      healthy: this.#damaged.length === 0 && this.#lost.length === 0,
    };
  }

  /** A random sample, at least one partition of those there are. */
  #choose(stripes: readonly Stripe[], sample: number): readonly Stripe[] {
    const { random } = this.#session.run.engine;
    if (sample >= 1) return stripes;
    const count = Math.max(1, Math.round(stripes.length * sample));
    return stripes
      .map((stripe) => ({ stripe, lot: random.uniform() }))
      .sort((a, b) => a.lot - b.lot)
      .slice(0, count)
      .map(({ stripe }) => stripe);
  }

  async #check(stripe: Stripe): Promise<void> {
    const { encryption, shards, tasks, meter } = this.#session.run;
    const arena = await encryption.borrow(stripe);
    try {
      const outcome = await shards.fetch(stripe, arena.reference, stripe.shards.length, tasks.signal);
      this.#checkedShards += outcome.present.length;
      this.#checkedBytes += outcome.fetchedBytes;
      meter.add({ bytes: stripe.sizeClass * stripe.shards.length, transferredBytes: outcome.fetchedBytes });
      this.#note(stripe, outcome);
      if (outcome.present.length >= stripe.k) await this.#open(stripe, arena, outcome.present);
    } catch (error) {
      // Shards with the right hashes that do not open: sealed wrongly, and no peer is to blame.
      if (!HoldfastError.is(error, 'SEAL_BROKEN', 'HASH_MISMATCH', 'FORMAT_INVALID')) throw error;
      this.#lost.push(stripe);
    } finally {
      encryption.giveBack(arena);
    }
  }

  /** Everything that a restore would do, but for writing. */
  async #open(stripe: Stripe, arena: BorrowedArena, present: readonly number[]): Promise<void> {
    const { encryption } = this.#session.run;
    const { id, epoch, k, m, helpers, sizeClass, size, checksum } = stripe;
    const payload = await encryption.open(arena, {
      ...{ id, epoch, k, m, helpers, sizeClass, size, checksum, present },
      payload: new SharedArrayBuffer(k * sizeClass),
    });
    try {
      for (let frame = 0; frame < payload.frames; frame++) await encryption.checkFrame(payload, frame);
    } finally {
      encryption.forget(payload);
    }
  }

  #note(stripe: Stripe, { present, bad }: FetchOutcome): void {
    const { id, number, k, m } = stripe;
    if (bad.length > 0) this.#damaged.push({ partition: id, number, k, m, margin: present.length - k, bad });
    if (present.length < k) this.#lost.push(stripe);
  }
}
