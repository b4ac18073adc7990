/**
 * Every error a caller may have to react to. The code is stable and documented in docs/errors.md (a test keeps
 * the two identical); the message says what happened to which object; the hint says what to do about it.
 */
export const ERROR_CODES = {
  // the caller's request
  USAGE: 'The command line or an argument is wrong.',
  CONFIG_INVALID: 'The configuration file has an unknown key or a value of the wrong kind.',
  CONFIG_MISSING: 'There is no configuration here yet.',
  ALREADY_EXISTS: 'What should be created exists already, or a restore target is not empty.',
  NOT_FOUND: 'No source, snapshot, peer or partition of that name.',
  CANCELLED: 'Stopped by Ctrl-C, a signal or the caller.',
  BUSY: 'Another process holds this vault; only one may write at a time.',
  // sources and sinks
  SOURCE_UNREADABLE: 'The source, or a part of it, cannot be read.',
  SOURCE_CHANGED: 'The source changed in a way that makes a consistent copy impossible.',
  SOURCE_CORRUPT: 'The source is damaged by its own standards.',
  WAL_GAP: 'A stretch of the write-ahead log is missing that a restore would need.',
  TARGET_UNWRITABLE: 'The restore target cannot be written.',
  DISK_FULL: 'No space left where something had to be written.',
  // keys
  KEY_MISSING: 'The key file is missing.',
  KEY_WRONG: 'Wrong passphrase, or a key file that belongs to another vault.',
  // bytes that are not what they should be
  FORMAT_INVALID: 'Bytes do not follow the format that they claim.',
  FORMAT_VERSION: 'A format version that this program does not know.',
  SEAL_BROKEN: 'A sealed shard failed authentication.',
  HASH_MISMATCH: 'Bytes do not have the hash that they should have.',
  SIGNATURE_INVALID: 'A signature does not verify.',
  // coding
  CODE_PARAMETERS: 'k or m is out of range, or shard lengths differ.',
  TOO_FEW_SHARDS: 'Fewer than k shards of a partition can be had.',
  // placement
  PLACEMENT_REFUSED: 'A hard separation rule cannot be met with the peers at hand.',
  // peers
  PEER_UNREACHABLE: 'No connection to the peer, or it was lost.',
  PEER_UNTRUSTED: 'The other side has no valid certificate of this swarm, or is not who it should be.',
  PEER_TIMEOUT: 'The peer did not answer within the deadline.',
  PEER_QUOTA: 'The peer has no room left for this owner.',
  PEER_DISK_FULL: 'The peer has no room left at all.',
  PEER_NOT_OWNER: 'The object belongs to another owner.',
  PEER_NO_SHARD: 'The peer does not have this shard.',
  PEER_SHARD_CORRUPT: 'The peer has the shard but its bytes have rotted.',
  PEER_SHARD_CONFLICT: 'The peer holds other bytes under this shard id.',
  PEER_HEAD_STALE: 'The peer already has a newer head.',
  PEER_BUSY: 'The peer refuses more work for now.',
  PEER_PROTOCOL: 'A malformed or unexpected frame.',
  PEER_FAILED: 'The peer failed internally.',
  // whole runs
  HEAD_MISSING: 'No head of this owner could be found.',
  HEAD_ROLLED_BACK: 'Peers offer only heads older than one seen before.',
  CATALOG_CORRUPT: 'The catalog is damaged.',
  CATALOG_VERSION: 'The catalog was written by a newer program.',
  VERIFY_FAILED: 'Verification found damaged or missing data, or a placement that breaks a rule.',
  INCOMPLETE: 'The run ended with part of the work not done.',
  HOOK_FAILED: 'A command or address that is called before or after a run failed.',
  RUN_TIMEOUT: 'A scheduled run took longer than it may.',
  WORKER_DIED: 'Sealing threads die, and starting others does not help.',
  INTERNAL: 'A bug in Holdfast.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorOptions {
  /** What the reader can do about it, as an imperative sentence. */
  hint?: string;
  cause?: unknown;
  /** Facts for machines (`--json`) and for tests; never secrets. */
  details?: Readonly<Record<string, unknown>>;
}

export class HoldfastError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HoldfastError';
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }

  static is(error: unknown, ...codes: ErrorCode[]): error is HoldfastError {
    return error instanceof HoldfastError && (codes.length === 0 || codes.includes(error.code));
  }

  /** Wraps what is not yet a HoldfastError, keeping the original as its cause. */
  static from(error: unknown, code: ErrorCode, message: string, options: ErrorOptions = {}): HoldfastError {
    return error instanceof HoldfastError
      ? error
      : new HoldfastError(code, message, { ...options, cause: error });
  }
}

/** Throws CANCELLED when the signal has fired. Call between steps of long work. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal);
}

/** The signal's own reason where that is one of ours (a failed sibling task), else CANCELLED. */
export function cancelled(signal: AbortSignal): HoldfastError {
  return signal.reason instanceof HoldfastError
    ? signal.reason
    : new HoldfastError('CANCELLED', 'Stopped before the end.');
}
