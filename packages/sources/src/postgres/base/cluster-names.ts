/** Which files of a data directory a base snapshot holds: as PostgreSQL's own base backup chooses them. */

/** The server fills these anew; only the directories themselves must be there. */
const EMPTIED = new Set([
  'pg_dynshmem',
  'pg_notify',
  'pg_replslot',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
  'pg_wal',
]);

const LEFT_OUT = new Set([
  'backup_label',
  'backup_label.old',
  'backup_manifest',
  'current_logfiles',
  'current_logfiles.tmp',
  'postgresql.auto.conf.tmp',
  'postmaster.opts',
  'postmaster.pid',
  'recovery.done',
  'recovery.signal',
  'standby.signal',
  'tablespace_map',
  'tablespace_map.old',
]);

const RELATION_DIRECTORY = /^(global|base\/\d+|pg_tblspc\/\d+\/[^/]+\/\d+)$/;
const RELATION = /^(\d+)(_fsm|_vm|_init)?(?:\.(\d+))?$/;
const TEMPORARY = /^t\d+_\d+(_fsm|_vm)?(\.\d+)?$/;

export const isEmptied = (path: string): boolean => EMPTIED.has(path);

/** @param siblings all names in the same directory. */
export function isLeftOut(directory: string, name: string, siblings: ReadonlySet<string>): boolean {
  if (directory === '' && LEFT_OUT.has(name)) return true;
  if (name.startsWith('pgsql_tmp') || name.startsWith('pg_internal.init')) return true;
  if (!RELATION_DIRECTORY.test(directory)) return false;
  if (TEMPORARY.test(name)) return true;
  const match = RELATION.exec(name);
  // Of an unlogged table only the empty beginning counts: its rows are gone after every crash, and so after a restore.
  return match !== null && match[2] !== '_init' && siblings.has(`${match[1]}_init`);
}

/** Number of the file among its relation's (1 GiB each); null for files that are not arrays of pages. */
export function relationSegment(directory: string, name: string): number | null {
  const match = RELATION_DIRECTORY.test(directory) ? RELATION.exec(name) : null;
  return match ? Number(match[3] ?? 0) : null;
}
