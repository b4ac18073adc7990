import { chownSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { appendFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Attributes, HoldfastError, type Sink, throwIfAborted } from '@holdfast/contracts';
import { syncTree } from '../../../file/sync-tree.ts';
import { writeError } from '../../../file/system-errors.ts';
import { TreeTarget } from '../../../tree/tree-target.ts';
import { BaseEntries, besideTarget, type Owner } from './base-entries.ts';
import { LEAST_ACCESS, leastConfiguration, type Recovery, recoverySettings } from './recovery-settings.ts';
import { serverAccount } from './server-account.ts';
import { walWriter } from './wal-writer.ts';

export interface PhysicalRestoreOptions {
  /** The data directory. Must be absent or empty, unless `overwrite`. */
  readonly path: string;
  readonly overwrite: boolean;
  /** Null: restore the base as it is, to be recovered by other means. */
  readonly recovery: Recovery | null;
  /** Where tablespaces go, by their number or their old place. Default: `PATH-tablespaces/NUMBER`. */
  readonly tablespaces?: ReadonlyMap<string, string>;
  /** Of all files, when running as root; default the account `postgres`. The server refuses what root owns. */
  readonly owner?: Owner;
}

/**
 * A base snapshot and WAL, put together to a directory that PostgreSQL ≥ 12 can be started on: restore the base into
 * `baseSink()`, each WAL snapshot of the plan into a `walSink()`, then `finish()`. Nothing appears at the target before.
 */
export class PhysicalRestore {
  readonly #options: PhysicalRestoreOptions;
  readonly #owner: Owner | null;
  #target: TreeTarget | null = null;
  #entries: BaseEntries | null = null;
  #settings: unknown = null;
  #baseDone = false;
  #finished = false;

  constructor(options: PhysicalRestoreOptions) {
    this.#options = options;
    this.#owner = process.getuid?.() === 0 ? (options.owner ?? serverAccount()) : null;
  }

  baseSink(): Sink {
    return {
      order: 'any',
      begin: async ({ attributes }, { signal } = {}) => {
        throwIfAborted(signal);
        await this.#begin(attributes);
      },
      create: async (object, { signal } = {}) => {
        throwIfAborted(signal);
        if (this.#entries === null) throw new HoldfastError('INTERNAL', 'create before begin');
        return this.#entries.create(object);
      },
      finish: async ({ signal } = {}) => {
        throwIfAborted(signal);
        if (this.#entries === null || this.#entries.openWriters > 0)
          throw new HoldfastError('INTERNAL', 'finish before all files are complete');
        this.#baseDone = true;
      },
      abort: () => this.abort(),
    };
  }

  walSink(): Sink {
    const directory = (): string => {
      if (!this.#baseDone || this.#target === null)
        throw new HoldfastError('INTERNAL', 'WAL is restored after its base');
      return join(this.#target.partial, 'pg_wal');
    };
    const sink = walWriter({ directory, owner: this.#owner });
    const abort = async (): Promise<void> => {
      await sink.abort();
      await this.abort();
    };
    return { ...sink, abort };
  }

  /** Makes everything durable and gives it its name. TARGET_UNWRITABLE, DISK_FULL, FORMAT_INVALID. */
  async finish(): Promise<void> {
    if (this.#target === null || this.#entries === null || !this.#baseDone)
      throw new HoldfastError('INTERNAL', 'finish before the base is restored');
    if (this.#options.recovery) checkWhole(this.#target.partial);
    try {
      await this.#complete(this.#target.partial, this.#entries);
      for (const { target } of this.#entries.tablespaces) await syncTree(target.partial);
      await syncTree(this.#target.partial);
    } catch (error) {
      throw writeError(error, this.#options.path);
    }
    for (const { target } of this.#entries.tablespaces) await target.publish();
    await this.#target.publish();
    this.#finished = true;
  }

  /** Idempotent; does nothing after `finish`. */
  async abort(): Promise<void> {
    if (this.#finished) return;
    await this.#entries?.discard();
    await this.#target?.discard();
  }

  async #begin(attributes: Attributes): Promise<void> {
    this.#settings = parseSettings(attributes.settings);
    this.#target = await TreeTarget.prepare(this.#options.path, this.#options.overwrite);
    this.#give(this.#target.partial);
    this.#entries = new BaseEntries({
      directory: this.#target.partial,
      overwrite: this.#options.overwrite,
      owner: this.#owner,
      placeOf: (oid, location) => this.#placeOf(oid, location),
    });
  }

  #placeOf(oid: string, location: string): string {
    const { tablespaces, path } = this.#options;
    const chosen = tablespaces?.get(oid) ?? tablespaces?.get(location);
    return resolve(chosen ?? besideTarget(resolve(path))(oid));
  }

  async #complete(directory: string, entries: BaseEntries): Promise<void> {
    await this.#linkTablespaces(directory, entries);
    entries.finish();
    if (this.#options.recovery === null) return;
    await this.#writeIfMissing(join(directory, 'postgresql.conf'), leastConfiguration(this.#settings));
    await this.#writeIfMissing(join(directory, 'pg_hba.conf'), LEAST_ACCESS);
    const automatic = join(directory, 'postgresql.auto.conf');
    await appendFile(automatic, recoverySettings(this.#options.recovery), { mode: 0o600 });
    this.#give(automatic);
    await this.#writeIfMissing(join(directory, 'recovery.signal'), '');
  }

  /** The server makes the links itself, from the map; they are made here too, for those who look before it starts. */
  async #linkTablespaces(directory: string, entries: BaseEntries): Promise<void> {
    if (entries.tablespaces.length === 0) return;
    for (const { oid, path, target } of entries.tablespaces) {
      symlinkSync(path, join(directory, 'pg_tblspc', oid));
      this.#give(target.partial);
    }
    const lines = entries.tablespaces.map(({ oid, path }) => `${oid} ${path.replace(/[\\\n\r]/g, '\\$&')}\n`);
    await this.#writeIfMissing(join(directory, 'tablespace_map'), lines.join(''));
  }

  async #writeIfMissing(path: string, content: string): Promise<void> {
    if (existsSync(path)) return;
    await writeFile(path, content, { mode: 0o600 });
    this.#give(path);
  }

  #give(path: string): void {
    if (this.#owner) chownSync(path, this.#owner.uid, this.#owner.gid);
  }
}

/** A base snapshot to a directory, without WAL. For a server to start there it needs the WAL from start to stop of the base. */
export function physicalSink(options: Omit<PhysicalRestoreOptions, 'recovery'>): Sink {
  const restore = new PhysicalRestore({ ...options, recovery: null });
  const sink = restore.baseSink();
  return {
    ...sink,
    async finish(how) {
      await sink.finish(how);
      await restore.finish();
    },
  };
}

function parseSettings(settings: unknown): unknown {
  try {
    return typeof settings === 'string' ? JSON.parse(settings) : null;
  } catch {
    throw new HoldfastError('FORMAT_INVALID', 'The settings of the base snapshot make no sense');
  }
}

function checkWhole(directory: string): void {
  for (const name of ['PG_VERSION', 'backup_label', 'global/pg_control']) {
    if (!existsSync(join(directory, name)))
      throw new HoldfastError('FORMAT_INVALID', `The base snapshot has no ${name}`);
  }
  const version = readFileSync(join(directory, 'PG_VERSION'), 'utf8').trim();
  if (Number(version) < 12)
    throw new HoldfastError(
      'FORMAT_VERSION',
      `The cluster is of PostgreSQL ${version}; recovery is known from 12 on`,
    );
}
