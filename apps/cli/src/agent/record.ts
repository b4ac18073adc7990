import type { HoldfastError } from '@holdfast/contracts';
import type { TaskReport } from './task.ts';

/** How runs of a task went. Moments in milliseconds since the epoch. */
export interface TaskRecord {
  /** When the agent first knew of the task. */
  readonly since: number;
  readonly lastStart: number | null;
  readonly lastSuccess: Success | null;
  readonly lastFailure: Failure | null;
  /** Since the last success. */
  readonly failures: number;
}

export interface Success {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly snapshot: string | null;
}

export interface Failure {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

export const newRecord = (now: number): TaskRecord => ({
  since: now,
  lastStart: null,
  lastSuccess: null,
  lastFailure: null,
  failures: 0,
});

export const withStart = (record: TaskRecord, now: number): TaskRecord => ({ ...record, lastStart: now });

export const withSuccess = (
  record: TaskRecord,
  startedAt: number,
  endedAt: number,
  { snapshot }: TaskReport,
): TaskRecord => ({ ...record, lastSuccess: { startedAt, endedAt, snapshot }, failures: 0 });

export const withFailure = (
  record: TaskRecord,
  startedAt: number,
  endedAt: number,
  { code, message, hint }: HoldfastError,
): TaskRecord => ({
  ...record,
  lastFailure: { startedAt, endedAt, code, message, hint: hint ?? null },
  failures: record.failures + 1,
});
