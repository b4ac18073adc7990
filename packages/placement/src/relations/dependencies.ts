import { DEPENDENCY_KINDS } from '@holdfast/contracts';
import { Column } from './column.ts';
import { LinkedRecords } from './linked-records.ts';

export type DependencyKind = (typeof DEPENDENCY_KINDS)[number];

/** Typed references between partitions by number; 9 bytes each, and how many refer to each. */
export class Dependencies {
  readonly #records = new LinkedRecords();
  readonly #targets = Column.ofWords();
  readonly #kinds = Column.ofBytes();
  readonly #referrers = Column.ofWords();

  add(partition: number, kind: DependencyKind, target: number): void {
    const record = this.#records.push(partition);
    this.#targets.set(record, target);
    this.#kinds.set(record, DEPENDENCY_KINDS.indexOf(kind));
    this.#referrers.set(target, this.#referrers.get(target) + 1);
  }

  /** Latest first. */
  of(partition: number): { readonly kind: DependencyKind; readonly target: number }[] {
    const found: { kind: DependencyKind; target: number }[] = [];
    for (let record = this.#records.first(partition); record !== 0; record = this.#records.next(record)) {
      found.push({
        kind: DEPENDENCY_KINDS[this.#kinds.get(record)]!,
        target: this.#targets.get(record),
      });
    }
    return found;
  }

  isReferredTo(partition: number): boolean {
    return this.#referrers.get(partition) > 0;
  }

  clear(partition: number): void {
    for (;;) {
      const record = this.#records.first(partition);
      if (record === 0) return;
      const target = this.#targets.get(record);
      this.#referrers.set(target, this.#referrers.get(target) - 1);
      this.#records.drop(partition, record);
    }
  }

  get bytes(): number {
    return this.#records.bytes + this.#targets.bytes + this.#kinds.bytes + this.#referrers.bytes;
  }
}
