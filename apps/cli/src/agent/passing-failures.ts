import type { ErrorCode, HoldfastError } from '@holdfast/contracts';

/**
 * Failures that the next try may not meet again: others are away, or something is in the way for the moment. All the rest (settings,
 * keys, damage, bugs) waits for a person, and would only fail again.
 */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'BUSY',
  'SOURCE_UNREADABLE',
  'SOURCE_CHANGED',
  'DISK_FULL',
  // Of drills: a server that is away.
  'TARGET_UNWRITABLE',
  'TOO_FEW_SHARDS',
  'PLACEMENT_REFUSED',
  'PEER_UNREACHABLE',
  'PEER_TIMEOUT',
  'PEER_QUOTA',
  'PEER_DISK_FULL',
  'PEER_BUSY',
  'PEER_FAILED',
  'HEAD_MISSING',
  'WORKER_DIED',
  'HOOK_FAILED',
  'RUN_TIMEOUT',
]);

export const mayPass = ({ code }: HoldfastError): boolean => PASSING.has(code);
