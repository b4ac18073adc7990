import { ident, literal, qualified } from './quote.ts';
import type { Session } from './session.ts';
import type { TablePart } from './survey.ts';
import { tableName } from './table-facts.ts';
import type { TableLayout } from './table-layout.ts';

/** Rows that one connection fetches while another is being read: about as much as it may read ahead. */
const RANGE_BYTES = 8 * 1024 * 1024;
const MAX_RANGES = 4096;
/** Pages looked at for each border: their keys are spread unevenly. */
const PAGES_A_BORDER = 6;
const PAGE_BYTES = 8192;
const SEED = 1;
/** A window whose keys lie scattered over more than so many times its share of the table is read in one go. */
const MAX_SPREAD = 3;

/** Types of which any value's text, as a literal, is the value again; with their names. */
const SPLIT_TYPES: ReadonlyMap<number, string> = new Map([
  [20, 'int8'],
  [21, 'int2'],
  [23, 'int4'],
  [25, 'text'],
  [26, 'oid'],
  [1043, 'text'],
  [1082, 'date'],
  [1114, 'timestamp'],
  [1184, 'timestamptz'],
  [1700, 'numeric'],
  [2950, 'uuid'],
]);

/** Values of the key's first column, as text in ascending order, between which about equally many rows lie. */
export async function keyBorders(
  session: Session,
  layout: TableLayout,
  tableBytes: number,
): Promise<string[]> {
  const first = layout.key[0];
  const ranges = Math.min(MAX_RANGES, Math.floor(tableBytes / RANGE_BYTES));
  if (ranges < 2 || first === undefined || !SPLIT_TYPES.has(first.baseOid)) return [];
  const percent = Math.min(100, (100 * PAGES_A_BORDER * ranges * PAGE_BYTES) / tableBytes);
  const rows = await session.query(
    `select (array_agg(k order by k))[1]::text as key from (
       select k, ntile(${ranges}) over (order by k) as tile from (
         select ${ident(first.name)} as k from only ${qualified(layout.table.schema, layout.table.name)}
         tablesample system (${percent}) repeatable (${SEED})) sampled) tiled
     where tile > 1 group by tile order by tile`,
    `table ${tableName(layout.table)}`,
  );
  const keys = rows.map((row) => row.key!);
  return keys.filter((key, i) => key !== keys[i - 1]);
}

/** For each part, the borders inside it; none where they would not help. */
export async function bordersOfParts(
  session: Session,
  layout: TableLayout,
  parts: readonly TablePart[],
  borders: readonly string[],
): Promise<string[][]> {
  if (borders.length === 0 || parts.every((part) => part.bounds === null))
    return parts.map(() => [...borders]);
  const type = SPLIT_TYPES.get(layout.key[0]!.baseOid)!;
  const spans = parts.map(
    ({ bounds }, i) => `(${i}, ${bounds?.first ?? 'null'}::${type}, ${bounds?.last ?? 'null'}::${type})`,
  );
  const rows = await session.query(
    `select p.n, json_agg(b.key::text order by b.place) as keys
     from (values ${spans.join(', ')}) p(n, first, last)
     join unnest($1::${type}[]) with ordinality b(key, place) on b.key > p.first and b.key <= p.last group by p.n`,
    `table ${tableName(layout.table)}`,
    [[...borders]],
  );
  const inside = new Map(rows.map((row) => [Number(row.n), JSON.parse(row.keys!) as string[]]));
  const all = parts.reduce((sum, part) => sum + (part.rows ?? 0), 0);
  return parts.map((part, i) => {
    const keys = inside.get(i) ?? [];
    const share = ((part.rows ?? all) / Math.max(1, all)) * borders.length;
    return keys.length > MAX_SPREAD * share + 1 ? [] : keys;
  });
}

/** Conditions that divide the part's rows into ranges of the key, in ascending order. */
export function rangeConditions(
  layout: TableLayout,
  part: TablePart,
  borders: readonly string[],
): string[][] {
  const first = layout.key[0];
  if (first === undefined) return [[]];
  const name = ident(first.name);
  const least = part.bounds ? [`${name} >= ${part.bounds.first}`] : [];
  const most = part.bounds ? [`${name} <= ${part.bounds.last}`] : [];
  return [...borders, null].map((border, i) => {
    const from = i === 0 ? least : [`${name} >= ${literal(borders[i - 1]!)}`];
    const to = border === null ? most : [`${name} < ${literal(border)}`];
    return [...from, ...to];
  });
}
