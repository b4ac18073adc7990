import { HoldfastError, type SnapshotId, type SnapshotRecord, type Stripe } from '@holdfast/contracts';
import type { ReadSession } from './read-session.ts';

/** The partitions of some snapshots, and which of them need which. */
export class PartitionUse {
  readonly snapshots: readonly SnapshotId[];
  readonly #usedBy = new Map<Stripe['number'], { stripe: Stripe; snapshots: Set<SnapshotId> }>();

  private constructor(snapshots: readonly SnapshotId[]) {
    this.snapshots = snapshots;
  }

  /** @param snapshot default: all. NOT_FOUND. */
  static async collect(session: ReadSession, snapshot: SnapshotId | undefined): Promise<PartitionUse> {
    const records = snapshot
      ? [await session.record(snapshot)]
      : await session.run.engine.catalog.snapshots();
    const use = new PartitionUse(records.map(({ id }) => id));
    for (const record of records) await use.#collect(session, record);
    return use;
  }

  stripes(): Stripe[] {
    return [...this.#usedBy.values()].map(({ stripe }) => stripe);
  }

  usedBy({ number }: Stripe): SnapshotId[] {
    return [...(this.#usedBy.get(number)?.snapshots ?? [])];
  }

  /** Where a snapshot's metadata cannot be read, it is the metadata's partitions that are lost. */
  async #collect(session: ReadSession, record: SnapshotRecord): Promise<void> {
    this.#use(record.manifest, record.id);
    try {
      const reader = await session.open(record);
      for (const stripe of reader.manifest.metadata.partitions) this.#use(stripe, record.id);
      for await (const stripe of reader.stripes()) this.#use(stripe, record.id);
    } catch (error) {
      if (!HoldfastError.is(error, 'TOO_FEW_SHARDS')) throw error;
    }
  }

  #use(stripe: Stripe, snapshot: SnapshotId): void {
    const known = this.#usedBy.get(stripe.number);
    if (known) known.snapshots.add(snapshot);
    else this.#usedBy.set(stripe.number, { stripe, snapshots: new Set([snapshot]) });
  }
}
