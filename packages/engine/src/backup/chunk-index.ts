import type { Catalog, ChunkId } from '@holdfast/contracts';
import { ChunkRef } from './chunk-ref.ts';
import type { PartitionSurvey } from './partition-survey.ts';

/**
 * Answers whether a chunk is stored already: in a complete partition (the catalog knows) that its peers still have, or in this run's partitions
 * that are not yet complete. There is one asker, so that nothing becomes pending between question and answer.
 */
export class ChunkIndex {
  readonly #catalog: Catalog;
  readonly #survey: PartitionSurvey;
  readonly #pending = new Map<ChunkId, ChunkRef>();
  readonly #byPartition = new Map<number, ChunkRef[]>();
  /** Of this run. */
  readonly #completed = new Set<number>();

  constructor(catalog: Catalog, survey: PartitionSurvey) {
    this.#catalog = catalog;
    this.#survey = survey;
  }

  /** In the order asked: a ref for known chunks, null for new ones. An id asked twice is null twice. */
  async find(ids: readonly ChunkId[]): Promise<(ChunkRef | null)[]> {
    const found: (ChunkRef | null)[] = ids.map((id) => this.#pending.get(id) ?? null);
    const unknown = ids.filter((_, i) => found[i] === null);
    if (unknown.length === 0) return found;
    const locations = await this.#catalog.findChunks(unknown);
    const usable = await this.#survey.usable(locations.flatMap((location) => location?.partition ?? []));
    let next = 0;
    return found.map((ref, i) => {
      if (ref) return ref;
      const location = locations[next++];
      return location && usable(location.partition)
        ? new ChunkRef(ids[i]!, location.length, { location })
        : null;
    });
  }

  /** From now on the chunk is found, though no partition has it yet. */
  add(ref: ChunkRef): void {
    this.#pending.set(ref.id, ref);
  }

  get(id: ChunkId): ChunkRef | undefined {
    return this.#pending.get(id);
  }

  /** The catalog finds this one from now on. */
  forget(ref: ChunkRef): void {
    this.#pending.delete(ref.id);
  }

  /**
   * The chunk has a place in a partition that is being filled or sent, or has even arrived: of a frame in two parts the
   * first may be stored while the second still waits for room.
   */
  placed(ref: ChunkRef): void {
    const partition = ref.location!.partition;
    if (this.#completed.has(partition)) {
      this.forget(ref);
      return;
    }
    const refs = this.#byPartition.get(partition);
    if (refs) refs.push(ref);
    else this.#byPartition.set(partition, [ref]);
  }

  /** The catalog finds the partition's chunks from now on. */
  completed(partition: number): void {
    for (const ref of this.#byPartition.get(partition) ?? []) this.#pending.delete(ref.id);
    this.#byPartition.delete(partition);
    this.#completed.add(partition);
    this.#survey.trust(partition);
  }
}
