import { HoldfastError } from '@holdfast/contracts';
import { type Lsn, parseLsn, unixMicros } from '../wal/lsn.ts';
import { type Connect, RawConnection } from '../wal/wire/raw-connection.ts';
import { BASE_FUNCTIONS, grantHint } from '../wal/wire/server-errors.ts';

export interface ClusterFacts {
  readonly version: number;
  readonly systemId: bigint;
  readonly segmentBytes: number;
  readonly blockBytes: number;
  readonly checksums: boolean;
  /** Settings that a restored server must not have lower, by name. */
  readonly settings: Readonly<Record<string, string>>;
  readonly bytes: number;
  readonly tablespaces: ReadonlyMap<string, string>;
}

export interface BackupStart {
  readonly timeline: number;
  readonly startLsn: Lsn;
  /** Microseconds since 1970, by the server's clock. */
  readonly startedAt: bigint;
}

export interface BackupEnd {
  readonly stopLsn: Lsn;
  readonly stoppedAt: bigint;
  /** What `backup_label` must hold in the restored directory. */
  readonly label: Buffer;
}

/** A standby that replays the WAL refuses to start with less. */
export const RECOVERY_SETTINGS = [
  'max_connections',
  'max_locks_per_transaction',
  'max_prepared_transactions',
  'max_wal_senders',
  'max_worker_processes',
] as const;

const FACTS = `select current_setting('server_version_num'), system_identifier::text,
  (select setting::bigint * case unit when '8kB' then 8192 else 1 end from pg_settings where name = 'wal_segment_size')::text,
  current_setting('block_size'), current_setting('data_checksums'), pg_is_in_recovery()::text, current_setting('wal_level'),
  (select json_object_agg(name, setting)::text from pg_settings where name = any(string_to_array($1, ' '))),
  current_user from pg_control_system()`;

// Sizes of databases that the role may not connect to are unknown to it.
const BYTES = `select coalesce(sum(case when has_database_privilege(oid, 'connect') then pg_database_size(oid) end), 0)::text from pg_database`;

const TABLESPACES = `select oid::text, pg_tablespace_location(oid) from pg_tablespace where pg_tablespace_location(oid) <> ''`;

/** The connection that begins and ends the server's backup mode, which lasts no longer than it. */
export class BackupSession {
  readonly #connection: RawConnection;
  readonly #version: number;

  private constructor(connection: RawConnection, version: number) {
    this.#connection = connection;
    this.#version = version;
  }

  /** SOURCE_UNREADABLE with the remedy. */
  static async open(connect: Connect): Promise<BackupSession> {
    const connection = await RawConnection.open(connect, 'sql');
    try {
      const [row] = await connection.text(`select current_setting('server_version_num')`);
      await connection.text(`select set_config(name, '0', false) from pg_settings
        where name in ('statement_timeout', 'idle_session_timeout', 'lock_timeout')`);
      return new BackupSession(connection, Number(row![0]));
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  async facts(): Promise<ClusterFacts> {
    const [row] = await this.#connection.text(FACTS, [RECOVERY_SETTINGS.join(' ')]);
    const [version, systemId, segment, block, checksums, recovery, level, settings, user] = row as string[];
    if (recovery === 'true')
      throw refused(
        'in-recovery',
        'The server is a standby; base snapshots are taken from the primary',
        'Name the primary as the host of this source.',
      );
    if (level === 'minimal')
      throw refused(
        'wal-level',
        'The server writes too little WAL to restore from: wal_level is minimal',
        'Set wal_level = replica in postgresql.conf and restart the server.',
      );
    await this.#checkRights(user!);
    const tablespaces = (await this.#connection.text(TABLESPACES)) as [string, string][];
    const [bytes] = await this.#connection.text(BYTES);
    return {
      version: Number(version),
      systemId: BigInt(systemId!),
      segmentBytes: Number(segment),
      blockBytes: Number(block),
      checksums: checksums === 'on',
      settings: JSON.parse(settings!),
      bytes: Number(bytes![0]),
      tablespaces: new Map(tablespaces),
    };
  }

  async #checkRights(user: string): Promise<void> {
    const functions = BASE_FUNCTIONS(this.#version);
    const rows = await this.#connection.text(
      `select f from unnest(string_to_array($1, '|')) f where not has_function_privilege('pg_catalog.' || f, 'execute')`,
      [functions.join('|')],
    );
    if (rows.length === 0) return;
    const missing = rows.map(([name]) => name!);
    throw refused(
      'no-function-right',
      `The role ${user} may not call ${missing.join(', ')}`,
      grantHint(missing, user),
    );
  }

  /** @param fast make the checkpoint that it begins with at once, instead of spreading its writes over minutes. */
  async start(label: string, fast: boolean): Promise<BackupStart> {
    const call =
      this.#version >= 150000 ? 'pg_backup_start($1, $2::bool)' : 'pg_start_backup($1, $2::bool, false)';
    const [row] = await this.#connection.query(
      `select ${call}::text, clock_timestamp(), (select timeline_id from pg_control_checkpoint())`,
      [label, String(fast)],
    );
    return {
      startLsn: parseLsn(row![0]!.toString()),
      startedAt: unixMicros(row![1]!.readBigInt64BE(0)),
      timeline: row![2]!.readInt32BE(0),
    };
  }

  async stop(): Promise<BackupEnd> {
    const call = this.#version >= 150000 ? 'pg_backup_stop(false)' : 'pg_stop_backup(false, false)';
    const [row] = await this.#connection.query(
      `select lsn::text, labelfile::text, clock_timestamp() from ${call}`,
    );
    return {
      stopLsn: parseLsn(row![0]!.toString()),
      label: Buffer.from(row![1]!),
      stoppedAt: unixMicros(row![2]!.readBigInt64BE(0)),
    };
  }

  /** Ends backup mode too. */
  close(): void {
    this.#connection.close();
  }
}

const refused = (reason: string, message: string, hint: string): HoldfastError =>
  new HoldfastError('SOURCE_UNREADABLE', message, { hint, details: { reason } });
