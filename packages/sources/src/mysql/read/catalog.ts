import type { MysqlConnection, TextRow } from '../connection.ts';
import { quoteText } from '../quoting.ts';

export interface ColumnFacts {
  readonly name: string;
  /** `varchar`, `decimal`. */
  readonly dataType: string;
  /** As declared: `varchar(20)`, `enum('a','b')`. */
  readonly type: string;
  /** Null for what is no text. */
  readonly charset: string | null;
  readonly notNull: boolean;
  /** The server computes it, so that it is neither read nor written. */
  readonly generated: boolean;
  /** The start or the end of a row's time in a system-versioned table. */
  readonly rowTime: boolean;
}

export interface TableFacts {
  readonly name: string;
  readonly engine: string;
  readonly transactional: boolean;
  readonly versioned: boolean;
  readonly columns: readonly ColumnFacts[];
  /** Names of the columns that rows are ordered by; none without a usable key. */
  readonly key: readonly string[];
  readonly keyName: string | null;
  /** Estimate of the engine. */
  readonly bytes: number;
  /** When its definition was last changed, to the second. */
  readonly changed: string;
  readonly autoIncrement: string | null;
}

/** What a database has, by the server's own lists. */
export interface Catalog {
  readonly version: string;
  readonly mariadb: boolean;
  readonly charset: string;
  readonly collation: string;
  readonly tables: readonly TableFacts[];
  readonly sequences: readonly string[];
  readonly views: readonly string[];
}

/** Engines without rows of their own: what they show lies elsewhere. */
export const WITHOUT_ROWS = new Set(['BLACKHOLE', 'MRG_MyISAM', 'FEDERATED']);

/** In the order of their names' bytes, as everything in a snapshot. */
const byName = (a: { name: string }, b: { name: string }): number =>
  Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));

export async function readCatalog(connection: MysqlConnection, database: string): Promise<Catalog> {
  const here = quoteText(database);
  const [server] = await connection.rows('SELECT VERSION() AS version');
  const [schema] = await connection.rows(`SELECT DEFAULT_CHARACTER_SET_NAME AS charset,
    DEFAULT_COLLATION_NAME AS collation FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${here}`);
  const engines = await connection.rows(
    'SELECT ENGINE AS name, TRANSACTIONS AS transactions FROM information_schema.ENGINES',
  );
  const transactional = new Set(
    engines.filter((each) => each.transactions === 'YES').map((each) => each.name),
  );
  const rows = await connection.rows(`SELECT TABLE_NAME AS name, TABLE_TYPE AS kind, ENGINE AS engine,
    DATA_LENGTH AS bytes, CREATE_TIME AS changed, AUTO_INCREMENT AS next
    FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${here}`);
  const columns = await readColumns(connection, here);
  const keys = await readKeys(connection, here);
  const version = server!.version!;
  const named = (kind: string): string[] =>
    rows
      .filter((row) => row.kind === kind)
      .map((row) => row.name!)
      .sort((a, b) => byName({ name: a }, { name: b }));
  const tables = rows
    .filter((row) => row.kind === 'BASE TABLE' || row.kind === 'SYSTEM VERSIONED')
    .map((row): TableFacts => {
      const own = columns.get(row.name!) ?? [];
      return {
        name: row.name!,
        engine: row.engine ?? 'unknown',
        transactional: transactional.has(row.engine),
        versioned: row.kind === 'SYSTEM VERSIONED',
        columns: own,
        ...keyOf(keys.get(row.name!) ?? [], own),
        bytes: Number(row.bytes ?? 0),
        changed: row.changed ?? '',
        autoIncrement: row.next ?? null,
      };
    });
  return {
    version,
    mariadb: version.includes('MariaDB'),
    charset: schema?.charset ?? 'utf8mb4',
    collation: schema?.collation ?? 'utf8mb4_general_ci',
    tables: tables.sort(byName),
    sequences: named('SEQUENCE'),
    views: named('VIEW'),
  };
}

function grouped<T>(rows: readonly TextRow[], make: (row: TextRow) => T): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(row.table_name!) ?? [];
    groups.set(row.table_name!, group);
    group.push(make(row));
  }
  return groups;
}

async function readColumns(connection: MysqlConnection, here: string): Promise<Map<string, ColumnFacts[]>> {
  const rows =
    await connection.rows(`SELECT TABLE_NAME AS table_name, COLUMN_NAME AS name, DATA_TYPE AS data_type,
    COLUMN_TYPE AS type, CHARACTER_SET_NAME AS charset, IS_NULLABLE AS nullable, EXTRA AS extra,
    GENERATION_EXPRESSION AS expression
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ${here} ORDER BY TABLE_NAME, ORDINAL_POSITION`);
  return grouped(rows, (row) => ({
    name: row.name!,
    dataType: row.data_type!.toLowerCase(),
    type: row.type!,
    charset: row.charset ?? null,
    notNull: row.nullable === 'NO',
    // Of MySQL's DEFAULT_GENERATED only the default is computed.
    generated: /\b(VIRTUAL|STORED|PERSISTENT)( GENERATED)?\b/i.test(row.extra ?? ''),
    rowTime: /^ROW (START|END)$/i.test(row.expression ?? ''),
  }));
}

interface KeyPart {
  readonly index: string;
  readonly column: string | null;
  readonly usable: boolean;
}

async function readKeys(connection: MysqlConnection, here: string): Promise<Map<string, KeyPart[]>> {
  const rows =
    await connection.rows(`SELECT TABLE_NAME AS table_name, INDEX_NAME AS name, COLUMN_NAME AS column_name,
    SUB_PART AS prefix, INDEX_TYPE AS type
    FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ${here} AND NON_UNIQUE = 0
    ORDER BY TABLE_NAME, INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX`);
  return grouped(rows, (row) => ({
    index: row.name!,
    column: row.column_name ?? null,
    usable: row.prefix === null && row.type === 'BTREE',
  }));
}

/** The primary key; else the first unique one over whole columns that are never null. */
function keyOf(
  parts: readonly KeyPart[],
  columns: readonly ColumnFacts[],
): { key: readonly string[]; keyName: string | null } {
  const facts = new Map(columns.map((column) => [column.name, column]));
  for (const index of new Set(parts.map((part) => part.index))) {
    // The end of a row's time is the same for all current rows.
    const own = parts.filter((part) => part.index === index && !facts.get(part.column ?? '')?.rowTime);
    const sound = own.every(({ column, usable }) => {
      const fact = facts.get(column ?? '');
      return usable && fact?.notNull === true && !fact.generated;
    });
    if (sound && own.length > 0) return { key: own.map((part) => part.column!), keyName: index };
  }
  return { key: [], keyName: null };
}
