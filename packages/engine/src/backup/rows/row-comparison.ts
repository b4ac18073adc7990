import { HoldfastError, MiB } from '@holdfast/contracts';
import type { Extent, LedgerGroup } from '@holdfast/formats';
import type { PreviousGroup, PreviousRows } from './previous-rows.ts';
import { RowMatcher, UNMATCHED } from './row-matcher.ts';

/** So much older content without any row of a group is looked through before the group's other rows count as new. */
const LOOK_AHEAD_BYTES = 2 * MiB;

/** Rows in order: either some that the previous snapshot has, as it has them, or some that are new. */
export type Run =
  | { readonly known: true; readonly extents: readonly Extent[] }
  | { readonly known: false; readonly from: number; readonly bytes: number };

const bytesOf = (run: Run): number =>
  run.known ? run.extents.reduce((sum, { length }) => sum + length, 0) : run.bytes;

/** Finds a group's rows among those of the previous snapshot, group after group in the order of keys. */
export class RowComparison {
  readonly #previous: PreviousRows;
  readonly #matcher = new RowMatcher();
  /** Of each row of the group, where it stood in the previous content. */
  #places = new Float64Array(0);
  /** Up to here older content was taken over, in whichever group: none of it is taken again. */
  #taken = 0;

  constructor(previous: PreviousRows) {
    this.#previous = previous;
  }

  /** @param next the key of the row behind the group, which tells where older rows of the group end; null when unknown. */
  async runs(group: LedgerGroup, next: readonly [number, number] | null): Promise<Run[]> {
    const runs = await this.#find(group, next);
    const bytes = runs.reduce((sum, run) => sum + bytesOf(run), 0);
    if (bytes === group.bytes) return runs;
    throw new HoldfastError('INTERNAL', `${group.bytes} bytes of rows would be stored as ${bytes}.`);
  }

  async #find(group: LedgerGroup, next: readonly [number, number] | null): Promise<Run[]> {
    const previous = this.#previous;
    const start = previous.starting(group.key);
    if (start !== null) await previous.dropBefore(start);
    const end = next === null ? null : previous.starting(next);
    if (this.#places.length < group.lengths.length) this.#places = new Float64Array(group.lengths.length);
    this.#places.fill(UNMATCHED, 0, group.lengths.length);
    this.#matcher.index(group.hashes);
    await this.#match(group.lengths.length, end);
    return this.#describe(group);
  }

  /** @param end the first older group that holds none of the rows; null when unknown. */
  async #match(rows: number, end: number | null): Promise<void> {
    const previous = this.#previous;
    let found = 0;
    let last = previous.first;
    let vain = 0;
    for (let number = last; number !== end && found < rows && vain <= LOOK_AHEAD_BYTES; number++) {
      const older = await previous.group(number);
      if (older === null) break;
      const hits = this.#matchGroup(older);
      found += hits;
      vain = hits > 0 || end !== null ? 0 : vain + older.bytes;
      if (hits > 0) last = number;
      // Nobody asks for it again: keys only grow. Without this, a long deleted range would all be held in memory.
      if (end !== null) await previous.dropBefore(number + 1);
    }
    await previous.dropBefore(end ?? last);
  }

  #matchGroup({ lengths, hashes, offset }: PreviousGroup): number {
    let hits = 0;
    let at = offset;
    for (let row = 0; row < lengths.length; row++) {
      const found = this.#matcher.take(hashes, 4 * row);
      if (found !== UNMATCHED) {
        this.#places[found] = at;
        hits++;
      }
      at += lengths[row]!;
    }
    return hits;
  }

  #describe({ lengths }: LedgerGroup): Run[] {
    const runs: Run[] = [];
    let known = { from: this.#taken, to: this.#taken };
    let fresh = { from: 0, bytes: 0 };
    const close = () => {
      if (known.to > known.from) {
        runs.push({ known: true, extents: this.#previous.extents.slice(known.from, known.to) });
      }
      if (fresh.bytes > 0) runs.push({ known: false, ...fresh });
    };
    let at = 0;
    for (let row = 0; row < lengths.length; row++) {
      const length = lengths[row]!;
      const place = this.#places[row]!;
      // Rows that stood in another order before, or that stand here more often, cannot be taken over: extents are gone
      // through once, over all groups.
      const usable = place !== UNMATCHED && place >= known.to;
      const joins = usable
        ? fresh.bytes === 0 && place === known.to && known.to > known.from
        : fresh.bytes > 0;
      if (!joins) {
        close();
        known = usable ? { from: place, to: place } : { from: known.to, to: known.to };
        fresh = { from: at, bytes: 0 };
      }
      if (usable) known.to += length;
      else fresh.bytes += length;
      at += length;
    }
    close();
    this.#taken = known.to;
    return runs;
  }
}
