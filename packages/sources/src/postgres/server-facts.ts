import type { Session } from './session.ts';

/** What is asked once per snapshot, within it. */
export interface ServerFacts {
  /** `server_version_num`: 150004. */
  readonly version: number;
  readonly versionText: string;
  readonly encoding: string;
  readonly collation: string;
  readonly databaseOid: string;
  readonly inRecovery: boolean;
  readonly bytes: number;
}

export async function readServerFacts(session: Session): Promise<ServerFacts> {
  const [row] = await session.query(
    `select current_setting('server_version_num') as version, current_setting('server_version') as text,
       pg_encoding_to_char(d.encoding) as encoding, d.datcollate as collation, d.oid::text as oid,
       pg_is_in_recovery() as recovery, pg_database_size(d.oid) as bytes
     from pg_database d where d.datname = current_database()`,
    'the database’s properties',
  );
  return {
    version: Number(row!.version),
    versionText: row!.text!,
    encoding: row!.encoding!,
    collation: row!.collation!,
    databaseOid: row!.oid!,
    inRecovery: row!.recovery === 't',
    bytes: Number(row!.bytes),
  };
}

export const majorOf = (version: number): number => Math.floor(version / 10_000);
