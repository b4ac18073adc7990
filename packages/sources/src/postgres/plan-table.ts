import type { PartitionLabel } from '@holdfast/contracts';
import { comparePaths } from '@holdfast/contracts';
import type { RowsDescription } from '@holdfast/formats/rows';
import { encodeRowsDescription } from '@holdfast/formats/rows';
import { indexPath, rowsPath } from '../rows/object-paths.ts';
import { digest } from './fingerprints.ts';
import { bordersOfParts, keyBorders, rangeConditions } from './key-ranges.ts';
import { ident, qualified } from './quote.ts';
import type { Fetch } from './reader-pool.ts';
import type { RowsObject } from './rows-objects.ts';
import type { Session } from './session.ts';
import { rowsCondition, surveyTable, type TablePart, where } from './survey.ts';
import { tableName } from './table-facts.ts';
import { type Family, rowsColumn, type TableLayout } from './table-layout.ts';

/** Larger tables do not share partitions with others. */
const LARGE_TABLE_BYTES = 32 * 1024 * 1024;

/** What makes up a table's fingerprints beside its rows; null: it gets none. */
export interface FingerprintParts {
  readonly snapshot: string;
  readonly table: string;
}

export interface PlanOptions {
  /** The server's. */
  readonly version: number;
  readonly fingerprint: FingerprintParts | null;
}

/** The table's objects, in the order of their paths. */
export async function planTable(
  session: Session,
  layout: TableLayout,
  { version, fingerprint }: PlanOptions,
): Promise<RowsObject[]> {
  const [size] = await session.query(
    'select pg_table_size($1::oid) as bytes',
    `table ${tableName(layout.table)}`,
    [layout.table.oid],
  );
  const bytes = Number(size!.bytes);
  const parts = await surveyTable(session, layout, { fingerprints: fingerprint !== null, version });
  if (parts.length === 0) return [emptyObject(layout, fingerprint)];
  const borders = await keyBorders(session, layout, bytes);
  const inside = await bordersOfParts(session, layout, parts, borders);
  const objects = layout.families.flatMap((family) =>
    parts.map((part, i) =>
      rowsObject({
        layout,
        family,
        part,
        borders: inside[i]!,
        large: bytes >= LARGE_TABLE_BYTES,
        fingerprint,
      }),
    ),
  );
  return objects.toSorted((a, b) => comparePaths(a.rowsPath, b.rowsPath));
}

interface ObjectFacts {
  readonly layout: TableLayout;
  readonly family: Family;
  readonly part: TablePart;
  readonly borders: readonly string[];
  readonly large: boolean;
  readonly fingerprint: FingerprintParts | null;
}

function rowsObject(facts: ObjectFacts): RowsObject {
  const { layout, family, part } = facts;
  const { schema, name: table } = layout.table;
  const place = { schema, table, family: family.name, windowLabel: part.window?.label ?? null };
  const description = describe(layout, family, part);
  return {
    rowsPath: rowsPath(place),
    indexPath: indexPath(place),
    description,
    fetches: fetchesOf(facts),
    fingerprint:
      facts.fingerprint &&
      part.fingerprint &&
      fingerprintOf(facts.fingerprint, description, part.fingerprint, layout),
    label: labelOf(facts),
  };
}

/** Its columns do not matter: what is restored of it is nothing. */
function emptyObject(layout: TableLayout, fingerprint: FingerprintParts | null): RowsObject {
  const family: Family = { name: null, columns: layout.families.at(-1)!.columns };
  const part: TablePart = { window: null, rows: 0, bounds: null, fingerprint: '0/0' };
  const whole = { ...layout, families: [family], time: null };
  return {
    ...rowsObject({ layout: whole, family, part, borders: [], large: false, fingerprint }),
    fetches: [],
  };
}

const describe = (layout: TableLayout, family: Family, part: TablePart): RowsDescription => ({
  dialect: 'postgres',
  schema: layout.table.schema,
  table: layout.table.name,
  family: family.name,
  window: part.window,
  columns: family.columns.map((column) => rowsColumn(column, layout.binary)),
  keyColumns: layout.key.length,
});

const fingerprintOf = (
  { snapshot, table }: FingerprintParts,
  description: RowsDescription,
  rows: string,
  layout: TableLayout,
): string =>
  `${snapshot}/${digest(table, encodeRowsDescription(description), layout.table.condition ?? '')}/${rows}`;

function labelOf({ layout, family, part, large }: ObjectFacts): PartitionLabel | null {
  const hasFamilies = layout.families.length > 1;
  if (!hasFamilies && !layout.time && !large) return null;
  const table = tableName(layout.table);
  const window = part.window?.label ?? 'all';
  return {
    name: `${table}.${family.name === null ? 'main' : `family-${family.name}`}.${window}`,
    kind: family.name !== null ? 'column' : part.window ? 'temporal' : 'row',
    group: hasFamilies ? `${table}.${window}` : null,
  };
}

function fetchesOf({ layout, family, part, borders }: ObjectFacts): Fetch[] {
  const { table, key, binary } = layout;
  const columns = family.columns.map((column) => ident(column.name)).join(', ');
  const order = key.length === 0 ? '' : ` order by ${key.map((column) => ident(column.name)).join(', ')}`;
  const ranges = rangeConditions(layout, part, borders);
  return ranges.map((range, i) => ({
    sql: `copy (select ${columns} from only ${qualified(table.schema, table.name)}${where([...rowsCondition(layout, part.window), ...range])}${order}) to stdout (format ${binary ? 'binary' : 'text'})`,
    what: `table ${tableName(table)}`,
    seam: binary && ranges.length > 1 ? { dropHeader: i > 0, dropTrailer: i < ranges.length - 1 } : null,
  }));
}
