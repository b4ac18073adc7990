import { type Lsn, unixMicros } from '../lsn.ts';

/** What restoring to a moment needs to know of a stretch of WAL. Times are microseconds since 1970, by the server's clock. */
export interface WalFacts {
  /** Least and greatest time among commits and aborts; null without any. Not in order of position, though nearly. */
  readonly firstTime: bigint | null;
  readonly lastTime: bigint | null;
  readonly restorePoints: readonly RestorePoint[];
  /** Where the last whole record begins; null without one. */
  readonly lastRecord: Lsn | null;
  readonly records: number;
}

export interface RestorePoint {
  readonly name: string;
  /** Where its record begins. */
  readonly lsn: Lsn;
}

export const RECORD_HEADER = 24;
/** Enough of any record for the facts in it. */
export const HEAD_BYTES = 512;

const RM_XLOG = 0;
const RM_XACT = 1;
const SWITCH = 0x40;
const RESTORE_POINT = 0x70;
const OPERATION = 0x70;
/** Commit, abort, and the same of prepared transactions. */
const ENDS = new Set([0x00, 0x20, 0x30, 0x40]);

const DATA_SHORT = 255;
const DATA_LONG = 254;
const ORIGIN = 253;
const TOP_XID = 252;

export const isOfInterest = (resourceManager: number): boolean => resourceManager <= RM_XACT;

/** After it the rest of the segment is unused. */
export const isSwitch = (head: Buffer): boolean => head[17] === RM_XLOG && (head[16]! & 0xf0) === SWITCH;

/** When a transaction ended, if the record says that. `head` is the record's first bytes. */
export function endTime(head: Buffer): bigint | null {
  if (head[17] !== RM_XACT || !ENDS.has(head[16]! & OPERATION)) return null;
  const data = mainData(head);
  return data && data.length >= 8 ? unixMicros(data.readBigInt64LE(0)) : null;
}

export function restorePointName(head: Buffer): string | null {
  if (head[17] !== RM_XLOG || (head[16]! & 0xf0) !== RESTORE_POINT) return null;
  const data = mainData(head);
  if (!data || data.length < 9) return null;
  const end = data.indexOf(0, 8);
  return data.toString('utf8', 8, end < 0 ? data.length : end);
}

/** The record's own data behind its headers; null where it refers to pages, as none of those that matter here does. */
function mainData(head: Buffer): Buffer | null {
  let at = RECORD_HEADER;
  for (;;) {
    switch (head[at]) {
      case DATA_SHORT:
        return head.subarray(at + 2);
      case DATA_LONG:
        return head.subarray(at + 5);
      case ORIGIN:
        at += 3;
        break;
      case TOP_XID:
        at += 5;
        break;
      default:
        return null;
    }
  }
}
