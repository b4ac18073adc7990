import {
  HoldfastError,
  type MoveNote,
  type PartitionId,
  type PeerView,
  type PlacementNote,
  type PlacementRecord,
  type PlacementTotals,
  type RecordedRelaxation,
  type RelaxedRule,
  type SwarmView,
} from '@holdfast/contracts';

/** What `MemoryCatalog` keeps of placements: views, records, and how many do not keep which rule. */
export class MemoryPlacements {
  readonly #views: { readonly key: string; readonly peers: PeerView[] }[] = [];
  readonly #records = new Map<PartitionId, PlacementRecord>();
  readonly #newest = new Map<string, RelaxedRule['newest']>();

  recordView(view: SwarmView): number {
    const peers = structuredClone([...view]).sort((a, b) => (a.id < b.id ? -1 : 1));
    const key = JSON.stringify(peers.map((peer) => Object.entries(peer).sort()));
    const known = this.#views.findIndex((other) => other.key === key);
    return known < 0 ? this.#views.push({ key, peers }) : known + 1;
  }

  view(ref: number): SwarmView | null {
    return structuredClone(this.#views[ref - 1]?.peers ?? null);
  }

  refuseUnknownView(note: { readonly view: number } | undefined): void {
    if (!note || this.#views[note.view - 1]) return;
    throw new HoldfastError('NOT_FOUND', `There is no swarm view ${note.view}.`);
  }

  place(partition: PartitionId, note: PlacementNote, at: number): void {
    const { policy, view, relaxations } = structuredClone(note);
    this.#records.set(partition, { policy, view, relaxations, placedAt: at, moves: [] });
    this.#noteNewest(partition, relaxations, at);
  }

  move(partition: PartitionId, index: number, note: MoveNote, at: number): void {
    const record = this.#records.get(partition);
    if (!record) return;
    const relaxations = new Map(record.relaxations.map((relaxation) => [relaxation.rule, relaxation]));
    for (const relaxation of structuredClone(note.relaxations)) relaxations.set(relaxation.rule, relaxation);
    const others = record.moves.filter((move) => move.index !== index);
    this.#records.set(partition, {
      ...record,
      relaxations: [...relaxations.values()],
      moves: [...others, { index, view: note.view }].sort((a, b) => a.index - b.index),
    });
    this.#noteNewest(partition, note.relaxations, at);
  }

  drop(partition: PartitionId): void {
    this.#records.delete(partition);
  }

  record(partition: PartitionId): PlacementRecord | null {
    return structuredClone(this.#records.get(partition) ?? null);
  }

  /** @param placements journalled and complete ones */
  totals(placements: number): PlacementTotals {
    const records = [...this.#records.values()];
    const rules = new Map<string, RelaxedRule>();
    for (const [rule, newest] of this.#newest) {
      const relaxed = records.filter((record) => record.relaxations.some((one) => one.rule === rule));
      if (relaxed.length > 0) rules.set(rule, { placements: relaxed.length, newest: { ...newest } });
    }
    return {
      recorded: records.length,
      unrecorded: placements - records.length,
      relaxed: records.filter(({ relaxations }) => relaxations.length > 0).length,
      rules,
    };
  }

  #noteNewest(partition: PartitionId, relaxations: readonly RecordedRelaxation[], at: number): void {
    for (const { rule, reason } of relaxations) this.#newest.set(rule, { at, partition, reason });
  }
}
