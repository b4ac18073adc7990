import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { type Catalog, HoldfastError, MiB } from '@holdfast/contracts';
import { Kysely } from 'kysely';
import { NodeSqliteDialect } from './driver/node-sqlite-dialect.ts';
import { migrate } from './migrate.ts';
import { APPLICATION_ID, BUSY_TIMEOUT, SCHEMA_VERSION, type Schema } from './schema.ts';
import { SqliteCatalog } from './sqlite-catalog.ts';
import { corrupt, translate } from './sqlite-errors.ts';

/** A check of this much takes some 0.2 s. */
const WHOLE_CHECK_BYTES = 64 * MiB;

export interface OpenCatalogOptions {
  /** Reads only, beside one writer and any number of other readers. The catalog must exist. */
  readonly readonly?: boolean;
  /** For the times in the holders' history. */
  readonly clock?: { now(): number };
}

/**
 * Opens the catalog file, makes it when it is missing, and brings an older one up to date. Holds what identifies its
 * owner's backups and, for a while, package keys: readable by this user alone.
 * Fails with CATALOG_CORRUPT, CATALOG_VERSION, NOT_FOUND (for reading, or no such directory), DISK_FULL, BUSY.
 */
export async function openCatalog(path: string, options: OpenCatalogOptions = {}): Promise<Catalog> {
  const { readonly = false, clock = Date } = options;
  let database: DatabaseSync | undefined;
  try {
    if (readonly && !existsSync(path)) throw missing(path);
    if (!readonly) makePrivate(path);
    database = new DatabaseSync(path, { readOnly: readonly, timeout: BUSY_TIMEOUT });
    const version = identify(database, path, readonly);
    checkIntegrity(database, path);
    configure(database, readonly);
    const db = new Kysely<Schema>({ dialect: new NodeSqliteDialect(database) });
    if (version < SCHEMA_VERSION) await migrate(db);
    return new SqliteCatalog(db, database, path, () => clock.now());
  } catch (error) {
    if (database?.isOpen) database.close();
    throw translate(error, path);
  }
}

function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'a', 0o600));
    chmodSync(path, 0o600);
  } catch (error) {
    throw new HoldfastError('NOT_FOUND', `The catalog ${path} cannot be made or opened.`, {
      hint: 'Check that the directory exists and belongs to you.',
      cause: error,
    });
  }
}

/** The file's schema version, once it is known to be a catalog; marks a fresh file as one. */
function identify(database: DatabaseSync, path: string, readonly: boolean): number {
  const application = pragma(database, 'application_id');
  const version = pragma(database, 'user_version');
  const tables = Number(database.prepare('select count(*) as n from sqlite_schema').get()?.n);
  if (application === 0 && tables === 0) {
    if (readonly) throw missing(path);
    // Before the first migration, so that a crash in between leaves a file that is recognised.
    database.exec(`pragma application_id = ${APPLICATION_ID}`);
    return 0;
  }
  if (application !== APPLICATION_ID) throw corrupt(path, 'it is not a Holdfast catalog');
  if (version > SCHEMA_VERSION || (readonly && version < SCHEMA_VERSION)) {
    const age = version > SCHEMA_VERSION ? 'newer' : 'older';
    throw new HoldfastError(
      'CATALOG_VERSION',
      `The catalog ${path} has schema version ${version}, ${age} than this program's ${SCHEMA_VERSION}.`,
      {
        hint:
          age === 'newer'
            ? 'Update holdfast.'
            : 'Run any command that writes, such as backup, to bring it up to date.',
      },
    );
  }
  return version;
}

/** Whole files up to the limit; of larger ones the small tables, and the rest is noticed when it is read. */
function checkIntegrity(database: DatabaseSync, path: string): void {
  const bytes = pragma(database, 'page_count') * pragma(database, 'page_size');
  const tables = ['counter', 'head', 'journal', 'peer', 'snapshot', 'sqlite_schema'];
  const checks = bytes <= WHOLE_CHECK_BYTES ? ['1'] : tables;
  for (const check of checks) {
    const found = database.prepare(`pragma quick_check(${check})`).get()?.quick_check;
    if (found !== 'ok') throw corrupt(path, String(found));
  }
}

function configure(database: DatabaseSync, readonly: boolean): void {
  database.exec('pragma foreign_keys = on');
  if (readonly) return;
  database.exec('pragma journal_mode = wal');
  database.exec('pragma synchronous = normal');
  // Chunk ids are random, so each new one dirties a page of its own: writing pages back less often merges more of them.
  database.exec('pragma cache_size = -32768');
  database.exec('pragma wal_autocheckpoint = 8192');
  // Forgotten package keys are overwritten, not just unlinked.
  database.exec('pragma secure_delete = on');
}

const pragma = (database: DatabaseSync, name: string): number =>
  Number(database.prepare(`pragma ${name}`).get()?.[name]);

const missing = (path: string): HoldfastError =>
  new HoldfastError('NOT_FOUND', `There is no catalog at ${path}.`, { hint: 'Make a first backup.' });
