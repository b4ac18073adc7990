export { type BaseInfo, baseInfo } from '../base/base-info.ts';
export { type PostgresBaseOptions, postgresBaseSource } from '../base/base-source.ts';
export { connectByOptions } from './connect-by-options.ts';
export { formatLsn, formatMicros, isLsn, type Lsn, parseLsn } from './lsn.ts';
export {
  ContinuousProtection,
  type ProtectionEvent,
  type ProtectionOptions,
  type ProtectionStatus,
} from './protection.ts';
export { type Readiness, readiness } from './readiness.ts';
export { PhysicalRestore, type PhysicalRestoreOptions, physicalSink } from './restore/physical-restore.ts';
export {
  type BaseSnapshotRef,
  planRecovery,
  type RecoveryPlan,
  type RecoveryRequest,
  type WalSnapshotRef,
} from './restore/plan-recovery.ts';
export type { Recovery } from './restore/recovery-settings.ts';
export { parseTarget, type RecoveryTarget, type ServerTarget } from './restore/recovery-target.ts';
export {
  findServer,
  type RecoveredServer,
  type StartOptions,
  startRecovered,
} from './restore/start-recovered.ts';
export { slotName } from './slot-name.ts';
export type { Gap, GapReason, WalEvent } from './wal-events.ts';
export { type WalInfo, walInfo } from './wal-info.ts';
export type { WalPiece, WalPosition } from './wal-piece.ts';
export { WalReceiver, type WalReceiverOptions } from './wal-receiver.ts';
export { walSource } from './wal-source.ts';
export { type Connect, connectWith } from './wire/raw-connection.ts';
