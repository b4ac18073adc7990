import type { Lsn } from './lsn.ts';

/** Why WAL is missing between what was stored and what can be had. */
export type GapReason =
  /** Somebody dropped the slot, and the server has removed WAL since. */
  | 'slot-missing'
  /** The server gave the slot up: max_slot_wal_keep_size. */
  | 'slot-invalidated'
  /** We dropped it, rather than fill the server's disk. */
  | 'slot-dropped'
  | 'wal-removed'
  /** The server's history is not the one that was followed: restored from a backup, or a failover that lost WAL. */
  | 'diverged'
  /** What came is not WAL. */
  | 'damaged';

export interface Gap {
  readonly type: 'gap';
  readonly reason: GapReason;
  /** What is stored, or will be, ends here. */
  readonly from: Lsn;
  readonly message: string;
  readonly hint: string;
}

/** What is worth telling while WAL is received. */
export type WalEvent =
  | { readonly type: 'connected'; readonly timeline: number; readonly lsn: Lsn }
  | {
      readonly type: 'disconnected';
      readonly message: string;
      readonly hint: string | undefined;
      readonly reason: string;
      readonly retryMs: number;
    }
  | { readonly type: 'slot-created'; readonly slot: string; readonly lsn: Lsn }
  /** The slot was gone or given up, at once after it was noticed; a `gap` follows if WAL is really missing. */
  | {
      readonly type: 'slot-lost';
      readonly slot: string;
      readonly reason: 'slot-missing' | 'slot-invalidated';
    }
  | SlotGrowth
  | {
      readonly type: 'slot-dropped';
      readonly slot: string;
      readonly retainedBytes: number;
      readonly limitBytes: number;
    }
  /** The server has no bound of its own for what a slot holds back. */
  | { readonly type: 'advice'; readonly message: string }
  /** `abandoned`: bytes stored of the old timeline behind the branch, which no longer lead anywhere. */
  | {
      readonly type: 'timeline';
      readonly from: number;
      readonly to: number;
      readonly lsn: Lsn;
      readonly abandoned: number;
    }
  | Gap;

export interface SlotGrowth {
  readonly type: 'slot-growth';
  readonly slot: string;
  /** WAL that the server keeps for the slot. */
  readonly retainedBytes: number;
  /** The most it may be before we drop the slot; null for no limit. */
  readonly limitBytes: number | null;
  /** What may still be written before the server gives the slot up; null without such a limit. */
  readonly safeBytes: number | null;
  /** The server's word: `reserved`, `extended`, `unreserved`. */
  readonly walStatus: string;
}
