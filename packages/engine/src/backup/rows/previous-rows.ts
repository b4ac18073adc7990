import {
  decodeLedgerGroup,
  type Extent,
  LEDGER_HEADER_BYTES,
  type LedgerGroup,
  ledgerGroupBytes,
  ledgerRows,
} from '@holdfast/formats';
import { ExtentCursor } from './extent-cursor.ts';
import type { LedgerSpan, RowLedger } from './row-ledger.ts';

/** A group of the previous snapshot, and where its content stood in the object. */
export interface PreviousGroup extends LedgerGroup {
  readonly offset: number;
}

/** Two words as one number that a Map can find: 53 bits of them. */
export const borderOf = ([high, low]: readonly [number, number]): number =>
  (high & 0x1f_ffff) * 2 ** 32 + low;

/**
 * The rows of one object as the previous snapshot stored them, group after group. What cannot be read, or is not what was
 * written, ends the groups: then the rest compares with nothing and is stored again.
 */
export class PreviousRows {
  readonly extents: ExtentCursor;
  readonly #ledger: RowLedger;
  readonly #span: LedgerSpan;
  readonly #borders: ReadonlyMap<number, number>;
  /** Those read and not yet dropped; the first has the number `#first`. */
  readonly #groups: PreviousGroup[] = [];
  #first = 0;
  #at: number;
  #offset = 0;

  private constructor(
    ledger: RowLedger,
    span: LedgerSpan,
    extents: readonly Extent[],
    borders: ReadonlyMap<number, number>,
  ) {
    this.#ledger = ledger;
    this.#span = span;
    this.#borders = borders;
    this.#at = span.start;
    this.extents = new ExtentCursor(extents);
  }

  /** Null when the ledger does not tell of exactly this object's bytes. */
  static async open(
    ledger: RowLedger,
    span: LedgerSpan,
    extents: readonly Extent[],
  ): Promise<PreviousRows | null> {
    const borders = new Map<number, number>();
    let bytes = 0;
    let at = span.start;
    for (let group = 0; at < span.end; group++) {
      // Groups are shorter than what is read at once, so passing over their rows would cost more reads.
      const header = await ledger.read(at, LEDGER_HEADER_BYTES);
      const rows = ledgerRows(header);
      if (rows === null) return null;
      const border = borderOf([header.readUInt32LE(0), header.readUInt32LE(4)]);
      if (rows > 0 && !borders.has(border)) borders.set(border, group);
      bytes += Number(header.readBigUInt64LE(16));
      at += ledgerGroupBytes(rows);
    }
    const size = extents.reduce((sum, { length }) => sum + length, 0);
    return at === span.end && bytes === size ? new PreviousRows(ledger, span, extents, borders) : null;
  }

  /** The number of the first group that may still be asked for. */
  get first(): number {
    return this.#first;
  }

  /** Which group begins with that key; null when none does, or it is behind already. */
  starting(key: readonly [number, number]): number | null {
    const group = this.#borders.get(borderOf(key)) ?? null;
    return group !== null && group >= this.#first ? group : null;
  }

  /** Null at the end. Groups are read in order; what was dropped is gone. */
  async group(number: number): Promise<PreviousGroup | null> {
    while (number >= this.#first + this.#groups.length) {
      const group = await this.#read();
      if (group === null) return null;
      this.#groups.push(group);
    }
    return this.#groups[number - this.#first]!;
  }

  /** Groups before that number are not needed any more. */
  async dropBefore(number: number): Promise<void> {
    while (this.#first < number) {
      // What was not read yet has to be read all the same: the next one's offset depends on it.
      if (this.#groups.length === 0 && (await this.group(this.#first)) === null) return;
      this.#groups.shift();
      this.#first++;
    }
  }

  async #read(): Promise<PreviousGroup | null> {
    if (this.#at >= this.#span.end) return null;
    const rows = ledgerRows(await this.#ledger.read(this.#at, LEDGER_HEADER_BYTES));
    const length = rows === null ? 0 : ledgerGroupBytes(rows);
    const group = rows === null ? null : decodeLedgerGroup(await this.#ledger.read(this.#at, length));
    if (group === null) {
      this.#at = this.#span.end;
      return null;
    }
    this.#at += length;
    const offset = this.#offset;
    this.#offset += group.bytes;
    return { ...group, offset };
  }
}
