import { HoldfastError } from '@holdfast/contracts';
import { type Lsn, parseLsn, unixMicros } from './lsn.ts';
import { type Connect, RawConnection } from './wire/raw-connection.ts';
import { replicationHint } from './wire/server-errors.ts';

export interface ServerFacts {
  /** `server_version_num`: 150018. */
  readonly version: number;
  readonly systemId: bigint;
  readonly segmentBytes: number;
  readonly inRecovery: boolean;
  /** Bytes; null when the server sets no bound to what slots hold back. */
  readonly slotKeepBytes: number | null;
}

export interface SlotState {
  readonly restartLsn: Lsn | null;
  readonly activePid: number | null;
  readonly walStatus: string;
  readonly safeBytes: number | null;
}

export interface ServerMoment {
  /** Microseconds since 1970, taken before `lsn`. */
  readonly time: bigint;
  /** Where the WAL ends that is safe on the server's disk (that was replayed, on a standby). */
  readonly lsn: Lsn;
  readonly inRecovery: boolean;
  readonly slot: SlotState | null;
}

const FACTS = `select current_setting('server_version_num'), system_identifier::text,
  (select setting::bigint * case unit when '8kB' then 8192 else 1 end from pg_settings where name = 'wal_segment_size')::text,
  pg_is_in_recovery()::text, current_setting('wal_level'), current_setting('max_wal_senders'),
  (select rolreplication or rolsuper from pg_roles where rolname = current_user)::text,
  (select setting from pg_settings where name = 'max_slot_wal_keep_size'), current_user
  from pg_control_system()`;

// Values are computed from left to right: the time before the position.
const MOMENT = `select clock_timestamp(), (case when pg_is_in_recovery() then pg_last_wal_replay_lsn()
    else pg_current_wal_flush_lsn() end)::text, pg_is_in_recovery(),
  s.slot_name is not null, s.restart_lsn::text, s.active_pid, s.wal_status, s.safe_wal_size
  from (select 1) one left join pg_replication_slots s on s.slot_name = $1`;

/** An ordinary connection beside the stream: what the replication protocol does not tell. */
export class ServerWatch {
  readonly #connection: RawConnection;

  private constructor(connection: RawConnection) {
    this.#connection = connection;
  }

  /** SOURCE_UNREADABLE. */
  static async open(connect: Connect): Promise<ServerWatch> {
    return new ServerWatch(await RawConnection.open(connect, 'sql'));
  }

  /** SOURCE_UNREADABLE with the remedy when WAL cannot be had from this server by this user. */
  async facts(): Promise<ServerFacts> {
    const [row] = await this.#connection.text(FACTS);
    const [version, systemId, segment, recovery, level, senders, mayReplicate, keep, user] = row as string[];
    const refuse = (reason: string, message: string, hint: string): never => {
      throw new HoldfastError('SOURCE_UNREADABLE', message, { hint, details: { reason } });
    };
    if (level === 'minimal')
      refuse(
        'wal-level',
        'The server writes too little WAL to restore from: wal_level is minimal',
        'Set wal_level = replica in postgresql.conf and restart the server.',
      );
    if (Number(senders) === 0)
      refuse(
        'max-wal-senders',
        'The server sends no WAL: max_wal_senders is 0',
        'Set max_wal_senders = 10 in postgresql.conf and restart the server.',
      );
    if (mayReplicate !== 'true')
      refuse('no-replication-right', `The role ${user} may not receive WAL`, replicationHint(user!));
    return {
      version: Number(version),
      systemId: BigInt(systemId!),
      segmentBytes: Number(segment),
      inRecovery: recovery === 'true',
      // In megabytes.
      slotKeepBytes: Number(keep) < 0 ? null : Number(keep) * 2 ** 20,
    };
  }

  async moment(slot: string): Promise<ServerMoment> {
    const [row] = await this.#connection.query(MOMENT, [slot]);
    const [time, lsn, recovery, exists, restart, pid, status, safe] = row!;
    return {
      time: unixMicros(time!.readBigInt64BE(0)),
      lsn: lsn ? parseLsn(lsn.toString()) : 0n,
      inRecovery: recovery![0] === 1,
      slot:
        exists![0] === 1
          ? {
              restartLsn: restart ? parseLsn(restart.toString()) : null,
              activePid: pid?.readInt32BE(0) ?? null,
              walStatus: status?.toString() ?? 'unreserved',
              safeBytes: safe ? Number(safe.readBigInt64BE(0)) : null,
            }
          : null,
    };
  }

  /** Ends whoever reads from it first. */
  async dropSlot(slot: string): Promise<void> {
    await this.#connection.text(
      'select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1 and active_pid is not null',
      [slot],
    );
    await this.#connection.text(
      'select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1',
      [slot],
    );
  }

  close(): void {
    this.#connection.close();
  }
}
