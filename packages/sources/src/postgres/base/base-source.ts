import { HoldfastError, type Source, type SourceSnapshot, throwIfAborted } from '@holdfast/contracts';
import type { Connect } from '../wal/wire/raw-connection.ts';
import { BackupSession, type ClusterFacts } from './backup-session.ts';
import type { BaseInfo } from './base-info.ts';
import { BaseSnapshot } from './base-snapshot.ts';
import { ConnectionPool } from './connection-pool.ts';

export interface PostgresBaseOptions {
  /** To any database of the cluster: all of them are in the snapshot. */
  readonly connect: Connect;
  /** Shown by the server and in `backup_label`; default `holdfast`. */
  readonly label?: string;
  /** `fast`: begin at once, with a burst of writes on the server. `spread` (default): wait for its usual checkpoint pace, minutes. */
  readonly checkpoint?: 'fast' | 'spread';
  /** Connections that read; default 2. One more begins and ends the backup. */
  readonly connections?: number;
  /** Told when the server's backup has ended, before the last object is given. */
  readonly onEnd?: (info: BaseInfo) => void;
}

/** A whole PostgreSQL cluster as files, to be made consistent by the WAL written meanwhile. */
export function postgresBaseSource(options: PostgresBaseOptions): Source {
  return {
    kind: 'postgres-base',
    async test({ signal } = {}) {
      throwIfAborted(signal);
      const session = await BackupSession.open(options.connect);
      try {
        const facts = await session.facts();
        return { kind: 'postgres-base', bytes: facts.bytes, objects: null, facts: described(facts) };
      } finally {
        session.close();
      }
    },
    async open({ signal } = {}) {
      throwIfAborted(signal);
      return openSnapshot(options, signal);
    },
  };
}

const described = (facts: ClusterFacts): Record<string, string | number | boolean> => ({
  version: facts.version,
  system: facts.systemId.toString(),
  tablespaces: facts.tablespaces.size,
  'page checksums': facts.checksums,
});

async function openSnapshot(options: PostgresBaseOptions, signal?: AbortSignal): Promise<SourceSnapshot> {
  const session = await BackupSession.open(options.connect);
  // Waiting for a spread checkpoint can be stopped only by going away.
  const leave = (): void => session.close();
  signal?.addEventListener('abort', leave);
  try {
    const facts = await session.facts();
    if (facts.blockBytes !== 8192)
      throw new HoldfastError(
        'SOURCE_UNREADABLE',
        `The server was built with pages of ${facts.blockBytes} bytes; only 8192 are known`,
      );
    const start = await session.start(options.label ?? 'holdfast', options.checkpoint === 'fast');
    throwIfAborted(signal);
    const pool = new ConnectionPool(options.connect, options.connections ?? 2);
    return new BaseSnapshot({ session, pool, facts, start, onEnd: options.onEnd ?? (() => {}) });
  } catch (error) {
    session.close();
    throwIfAborted(signal);
    throw error;
  } finally {
    signal?.removeEventListener('abort', leave);
  }
}
