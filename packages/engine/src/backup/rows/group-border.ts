import { KiB, MiB } from '@holdfast/contracts';
import { MAX_LEDGER_ROWS } from '@holdfast/formats';

/** No group but the last of an object, and those beside very long rows, is shorter. */
const MIN_BYTES = 64 * KiB;
/** No group is longer: a group is a chunk. */
const MAX_BYTES = MiB;
/** Expected length beyond MIN_BYTES. */
const FURTHER_BYTES = 192 * KiB;

/**
 * Whether a row begins a new group. That depends on its key and length, and on how much stands in the group before it; so a row
 * that comes or goes moves borders only up to the next row that is one by itself. Rows weigh by their length: groups
 * come to about 256 KiB whatever rows are like.
 */
export function beginsGroup(
  keyHash: number,
  length: number,
  before: { bytes: number; rows: number },
): boolean {
  if (before.rows === 0) return false;
  if (before.bytes + length > MAX_BYTES || before.rows >= MAX_LEDGER_ROWS) return true;
  return before.bytes >= MIN_BYTES && keyHash < (length / FURTHER_BYTES) * 2 ** 32;
}
