import { Column } from './column.ts';

/**
 * Short lists, one for each owner (a number), whose records come from one pool and go back to it: what most owners have none
 * of costs them 4 bytes. Record numbers are from 1; 0 ends a list. What a record says is kept beside, by its number.
 */
export class LinkedRecords {
  readonly #heads = Column.ofWords();
  readonly #next = Column.ofWords();
  #free = 0;
  #highest = 0;

  first(owner: number): number {
    return this.#heads.get(owner);
  }

  next(record: number): number {
    return this.#next.get(record);
  }

  /** A new record at the front of the owner's list. */
  push(owner: number): number {
    const record = this.#free > 0 ? this.#free : this.#highest + 1;
    if (this.#free > 0) this.#free = this.#next.get(record);
    else this.#highest = record;
    this.#next.set(record, this.#heads.get(owner));
    this.#heads.set(owner, record);
    return record;
  }

  /** @param record one of the owner's; it may be anybody's afterwards */
  drop(owner: number, record: number): void {
    const following = this.#next.get(record);
    if (this.#heads.get(owner) === record) {
      this.#heads.set(owner, following);
    } else {
      let before = this.#heads.get(owner);
      while (this.#next.get(before) !== record) before = this.#next.get(before);
      this.#next.set(before, following);
    }
    this.#next.set(record, this.#free);
    this.#free = record;
  }

  get bytes(): number {
    return this.#heads.bytes + this.#next.bytes;
  }
}
