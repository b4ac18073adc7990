import { Column } from './column.ts';
import { LinkedRecords } from './linked-records.ts';

/** Instead of a time: has the shard. */
export const STILL = 0xffff_ffff;

/**
 * Holders beside those in the slots: former ones, and more present ones than there are copies (a shard that may have
 * reached a second peer). 13 bytes each. At most one record for a partition, index and peer.
 */
export class OtherHolders {
  readonly #records = new LinkedRecords();
  readonly #peers = Column.ofWords();
  readonly #indices = Column.ofBytes();
  /** Seconds since 1970 up to which it had the shard, rounded up so that nobody is let off early; STILL. */
  readonly #until = Column.ofWords();

  first(partition: number): number {
    return this.#records.first(partition);
  }

  next(record: number): number {
    return this.#records.next(record);
  }

  peer(record: number): number {
    return this.#peers.get(record);
  }

  index(record: number): number {
    return this.#indices.get(record);
  }

  until(record: number): number {
    return this.#until.get(record);
  }

  /** @returns 0 when there is none. */
  find(partition: number, index: number, peer: number): number {
    let record = this.first(partition);
    while (record !== 0 && !(this.peer(record) === peer && this.index(record) === index)) {
      record = this.next(record);
    }
    return record;
  }

  put(partition: number, index: number, peer: number, until: number): void {
    const record = this.find(partition, index, peer) || this.#records.push(partition);
    this.#peers.set(record, peer);
    this.#indices.set(record, index);
    this.#until.set(record, until);
  }

  drop(partition: number, record: number): void {
    if (record !== 0) this.#records.drop(partition, record);
  }

  /** Drops those whose time is up to and including `until`; STILL drops all. */
  dropUpTo(partition: number, until: number): void {
    for (let record = this.first(partition); record !== 0; ) {
      const next = this.next(record);
      if (this.until(record) <= until) this.drop(partition, record);
      record = next;
    }
  }

  get bytes(): number {
    return this.#records.bytes + this.#peers.bytes + this.#indices.bytes + this.#until.bytes;
  }
}
