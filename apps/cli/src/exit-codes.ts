import type { ErrorCode } from '@holdfast/contracts';

/** What the command exits with; documented in docs/cli.md, and per error code in docs/errors.md. */
export const EXIT = {
  ok: 0,
  internal: 1,
  usage: 2,
  incomplete: 3,
  damaged: 4,
  unreachable: 5,
  refused: 6,
  busy: 7,
  local: 8,
  keys: 9,
  tooOld: 10,
  cancelled: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** For `--help` and the documents: what each class means to a script. */
export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: 'done',
  1: 'a bug in Holdfast',
  2: 'wrong command line, configuration or name',
  3: 'the backup is incomplete: something could not be read',
  4: 'damaged or lost data was found',
  5: 'peers unreachable or unable, or too few shards at hand',
  6: 'placement refused: a separation rule cannot be met',
  7: 'another process holds the vault',
  8: 'the source cannot be read, or the target not written',
  9: 'key file missing, or wrong passphrase',
  10: 'this Holdfast, or its Node, is too old',
  130: 'stopped by Ctrl-C or a signal',
};

const BY_ERROR: Readonly<Record<ErrorCode, ExitCode>> = {
  USAGE: EXIT.usage,
  CONFIG_INVALID: EXIT.usage,
  CONFIG_MISSING: EXIT.usage,
  ALREADY_EXISTS: EXIT.usage,
  NOT_FOUND: EXIT.usage,
  CODE_PARAMETERS: EXIT.usage,
  CANCELLED: EXIT.cancelled,
  BUSY: EXIT.busy,

  SOURCE_UNREADABLE: EXIT.local,
  SOURCE_CHANGED: EXIT.local,
  SOURCE_CORRUPT: EXIT.local,
  WAL_GAP: EXIT.local,
  TARGET_UNWRITABLE: EXIT.local,
  DISK_FULL: EXIT.local,

  KEY_MISSING: EXIT.keys,
  KEY_WRONG: EXIT.keys,

  FORMAT_INVALID: EXIT.damaged,
  FORMAT_VERSION: EXIT.tooOld,
  SEAL_BROKEN: EXIT.damaged,
  HASH_MISMATCH: EXIT.damaged,
  SIGNATURE_INVALID: EXIT.damaged,
  PEER_SHARD_CORRUPT: EXIT.damaged,
  PEER_SHARD_CONFLICT: EXIT.damaged,
  HEAD_ROLLED_BACK: EXIT.damaged,
  CATALOG_CORRUPT: EXIT.damaged,
  CATALOG_VERSION: EXIT.tooOld,
  VERIFY_FAILED: EXIT.damaged,

  TOO_FEW_SHARDS: EXIT.unreachable,
  PEER_UNREACHABLE: EXIT.unreachable,
  PEER_UNTRUSTED: EXIT.unreachable,
  PEER_TIMEOUT: EXIT.unreachable,
  PEER_QUOTA: EXIT.unreachable,
  PEER_DISK_FULL: EXIT.unreachable,
  PEER_NOT_OWNER: EXIT.unreachable,
  PEER_NO_SHARD: EXIT.unreachable,
  PEER_HEAD_STALE: EXIT.unreachable,
  PEER_BUSY: EXIT.unreachable,
  PEER_PROTOCOL: EXIT.unreachable,
  PEER_FAILED: EXIT.unreachable,
  HEAD_MISSING: EXIT.unreachable,

  PLACEMENT_REFUSED: EXIT.refused,
  INCOMPLETE: EXIT.incomplete,
  HOOK_FAILED: EXIT.local,
  RUN_TIMEOUT: EXIT.incomplete,
  WORKER_DIED: EXIT.internal,
  INTERNAL: EXIT.internal,
};

export const exitCodeOf = (code: ErrorCode): ExitCode => BY_ERROR[code];
