import { HoldfastError, throwIfAborted } from '@holdfast/contracts';
import { literal, qualified } from './quote.ts';
import { Session, type SessionOptions } from './session.ts';
import { hasRows, readTables, type Table, tableName } from './table-facts.ts';

const BEGIN = 'begin isolation level repeatable read read only';
/** Statements that name more tables would only be longer. */
const TABLES_A_LOCK = 200;
/** How often to begin again because a table changed between the snapshot and its lock. */
const ATTEMPTS = 4;
const LOCK_NOT_AVAILABLE = '55P03';

/** One consistent view of a database, through several connections. */
export interface HeldSnapshot {
  /** Holds the snapshot and the locks; asks the catalog. */
  readonly leader: Session;
  /** They read rows. At least one; it is the leader itself if no other could join. */
  readonly readers: readonly Session[];
  /** For pg_dump. */
  readonly id: string;
  /** Of all tables, locked or not. */
  readonly tables: readonly Table[];
  /** Those whose rows are to be kept; they are locked against being dropped or rewritten. */
  readonly chosen: readonly Table[];
}

export interface HoldOptions extends SessionOptions {
  readonly connections: number;
  choose(tables: readonly Table[]): readonly Table[];
}

/**
 * Begins the view. A snapshot is taken before tables are locked, so TRUNCATE or ALTER TABLE may come in between, and the
 * snapshot would see an empty or other table: that is noticed by the file that the rows are in, and the view begun anew.
 */
export async function holdSnapshot(options: HoldOptions, signal?: AbortSignal): Promise<HeldSnapshot> {
  for (let attempt = 1; ; attempt++) {
    throwIfAborted(signal);
    const leader = await Session.connect(options);
    const stop = (): void => leader.destroy();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      return await holdThrough(leader, options);
    } catch (error) {
      leader.destroy();
      throwIfAborted(signal);
      if (!HoldfastError.is(error, 'SOURCE_CHANGED') || attempt === ATTEMPTS) throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }
}

async function holdThrough(leader: Session, options: HoldOptions): Promise<HeldSnapshot> {
  await leader.query(BEGIN, 'the database');
  const [row] = await leader.query('select pg_export_snapshot() as id', 'the database’s snapshot');
  const tables = await readTables(leader);
  const chosen = options.choose(tables);
  const locked = chosen.filter((table) => hasRows(table) && table.mayRead && table.schemaUsable);
  await lockTables(leader, locked);
  await refuseChanged(leader, locked);
  const id = row!.id!;
  const readers = await joinReaders(leader, options, id, locked);
  // What only counts rows may use several processes; what reads rows must not, for their order.
  if (readers[0] !== leader) await leader.query('reset max_parallel_workers_per_gather', 'session settings');
  return { leader, readers, id, tables, chosen };
}

/** As pg_dump locks: at once where that is possible, else waiting up to `lock_timeout`, and saying for which table. */
async function lockTables(session: Session, tables: readonly Table[]): Promise<void> {
  for (let i = 0; i < tables.length; i += TABLES_A_LOCK) {
    const some = tables.slice(i, i + TABLES_A_LOCK);
    await session.query('savepoint locks', 'the transaction');
    if (await lockAtOnce(session, some)) continue;
    await session.query('rollback to locks', 'the transaction');
    for (const table of some) await session.query(lockStatement([table]), `table ${tableName(table)}`);
  }
}

async function lockAtOnce(session: Session, tables: readonly Table[]): Promise<boolean> {
  try {
    await session.query(`${lockStatement(tables)} nowait`, 'the tables');
    return true;
  } catch (error) {
    // Which one it was, the single statements tell.
    if (session.lost) throw error;
    return false;
  }
}

const lockStatement = (tables: readonly Table[]): string =>
  `lock table ${tables.map((table) => `only ${qualified(table.schema, table.name)}`).join(', ')} in access share mode`;

/** What functions say of a table is as of now; what a query of the catalog says is as of the snapshot. */
async function refuseChanged(session: Session, tables: readonly Table[]): Promise<void> {
  const rows = await session.query(
    `select t.oid::text from unnest($1::oid[], $2::oid[], $3::text[]) t(oid, file, name)
     where to_regclass(t.name) is distinct from t.oid::regclass or pg_relation_filenode(t.oid) is distinct from t.file`,
    'the tables’ identities',
    [
      `{${tables.map((table) => table.oid).join(',')}}`,
      `{${tables.map((table) => table.fileNode).join(',')}}`,
      tables.map((table) => qualified(table.schema, table.name)),
    ],
  );
  if (rows.length === 0) return;
  const names = tables.filter((table) => rows.some((row) => row.oid === table.oid)).map(tableName);
  throw new HoldfastError(
    'SOURCE_CHANGED',
    `Rewritten, truncated or replaced while the backup began: ${names.join(', ')}`,
    {
      hint: 'Run the backup again, best at a quieter moment.',
    },
  );
}

/**
 * The readers lock too, but never wait: behind a request for a stronger lock, which waits for the leader, they would wait
 * for ever, and all others of that table behind them.
 */
async function joinReaders(
  leader: Session,
  options: HoldOptions,
  id: string,
  tables: readonly Table[],
): Promise<Session[]> {
  const joining = Array.from({ length: options.connections }, () => join(options, id, tables));
  const settled = await Promise.allSettled(joining);
  const readers = settled.flatMap((each) => (each.status === 'fulfilled' && each.value ? [each.value] : []));
  const failure = settled.find((each) => each.status === 'rejected');
  if (failure && readers.length === 0 && !isTooMany(failure.reason)) throw failure.reason;
  return readers.length > 0 ? readers : [leader];
}

const isTooMany = (error: unknown): boolean => HoldfastError.is(error) && error.details.sqlState === '53300';

async function join(options: HoldOptions, id: string, tables: readonly Table[]): Promise<Session | null> {
  const session = await Session.connect(options);
  try {
    await session.query(BEGIN, 'the database');
    await session.query(`set transaction snapshot ${literal(id)}`, 'the database’s snapshot');
    for (let i = 0; i < tables.length; i += TABLES_A_LOCK)
      await session.query(`${lockStatement(tables.slice(i, i + TABLES_A_LOCK))} nowait`, 'the tables');
    return session;
  } catch (error) {
    session.destroy();
    if (HoldfastError.is(error) && error.details.sqlState === LOCK_NOT_AVAILABLE) return null;
    throw error;
  }
}
