import type { HoldfastError } from '@holdfast/contracts';
import type { Log } from '../agent/log.ts';
import { formatDuration } from '../units/duration.ts';

/** For a vault that another process has held for long. */
export const tellWaiting =
  (log: Log) =>
  (error: HoldfastError, waitedMs: number): void =>
    log({
      event: 'vault-busy',
      level: 'warning',
      ...error.details,
      message: `has waited ${formatDuration(waitedMs)} to store: ${error.message} WAL waits on the server.`,
    });
