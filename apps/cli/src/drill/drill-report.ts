import type { SnapshotRecord } from '@holdfast/contracts';
import type { RestoreReport } from '@holdfast/engine';

/** How a restore drill went. */
export interface DrillReport {
  readonly snapshot: SnapshotRecord;
  /** Where to, in words: never a secret. */
  readonly place: string;
  readonly tables: readonly TableResult[];
  /** What SQLite itself found wrong. */
  readonly problems: readonly string[];
  readonly restore: RestoreReport;
  readonly steps: readonly DrillStep[];
  /** Of all steps. */
  readonly seconds: number;
  readonly notes: readonly string[];
  readonly ok: boolean;
}

/** One object of rows: of a table, or of a family or window of it. */
export interface TableResult {
  readonly schema: string;
  readonly table: string;
  readonly family: string | null;
  readonly window: string | null;
  /** As counted at backup; where that was not recorded, as found. */
  readonly rows: number;
  /** In the scratch database. */
  readonly found: number;
  /** Count and checksum; null where nothing was recorded at backup. */
  readonly same: boolean | null;
}

export interface DrillStep {
  readonly name: 'prepare' | 'restore' | 'compare' | 'remove';
  readonly seconds: number;
}
