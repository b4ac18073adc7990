import { HoldfastError } from '@holdfast/contracts';
import type { RowsDescription } from '@holdfast/formats/rows';
import type pg from 'pg';
import type { CopyTarget } from './copy-lanes.ts';
import { copyTarget } from './copy-target.ts';
import { qualified, quoted, quotedList } from './sql-names.ts';

/** Holds tables in passing; dropped before the schema's own end. */
const STAGING = 'holdfast_partial';

interface Part {
  readonly name: string;
  readonly columns: readonly string[];
  rows: number;
}

interface StagedTable {
  readonly schema: string;
  readonly name: string;
  readonly keys: readonly string[];
  /** By family; '' are the columns that are in none. */
  readonly parts: Map<string, Part>;
}

/** Tables that come in families: each part is loaded by itself, and they are joined when all are there. */
export class Staging {
  readonly #client: pg.Client;
  readonly #tables = new Map<string, StagedTable>();
  #count = 0;

  constructor(client: pg.Client) {
    this.#client = client;
  }

  /** Where the object's rows go; `loaded` must be told how many they were. */
  async open(rows: RowsDescription): Promise<{ target: CopyTarget; loaded: (count: number) => void }> {
    const table = this.#tableOf(rows);
    const family = rows.family ?? '';
    const columns = rows.columns.map(({ name }) => name);
    const part = table.parts.get(family) ?? (await this.#create(table, family, columns));
    if (columns.join('\0') !== part.columns.join('\0'))
      throw new HoldfastError(
        'FORMAT_INVALID',
        `Objects of table ${rows.schema}.${rows.table} differ in their columns`,
      );
    const target = copyTarget(rows, qualified(STAGING, part.name));
    return {
      target,
      loaded: (count) => {
        part.rows += count;
      },
    };
  }

  /** A table of its own for large objects' pages. */
  async createPages(): Promise<string> {
    const name = qualified(STAGING, 'large_object_pages');
    await this.#client.query(`CREATE SCHEMA IF NOT EXISTS ${STAGING}`);
    await this.#client.query(`CREATE UNLOGGED TABLE ${name} (loid oid, pageno int8, data bytea)`);
    return name;
  }

  /** FORMAT_INVALID when parts of a table do not hold the same rows. */
  async join(): Promise<void> {
    for (const table of this.#tables.values()) await this.#joinTable(table);
  }

  async drop(): Promise<void> {
    await this.#client.query(`DROP SCHEMA IF EXISTS ${STAGING} CASCADE`);
  }

  #tableOf({ schema, table: name, columns, keyColumns }: RowsDescription): StagedTable {
    const id = qualified(schema, name);
    const known = this.#tables.get(id);
    if (known !== undefined) return known;
    const keys = columns.slice(0, keyColumns).map((column) => column.name);
    if (keys.length === 0)
      throw new HoldfastError('FORMAT_INVALID', `Table ${schema}.${name} is in families, but has no key`);
    const table = { schema, name, keys, parts: new Map<string, Part>() };
    this.#tables.set(id, table);
    return table;
  }

  async #create(table: StagedTable, family: string, columns: readonly string[]): Promise<Part> {
    const part = { name: `part_${this.#count++}`, columns, rows: 0 };
    table.parts.set(family, part);
    await this.#client.query(`CREATE SCHEMA IF NOT EXISTS ${STAGING}`);
    await this.#client.query(
      `CREATE UNLOGGED TABLE ${qualified(STAGING, part.name)} AS
         SELECT ${quotedList(columns)} FROM ONLY ${qualified(table.schema, table.name)} WITH NO DATA`,
    );
    return part;
  }

  async #joinTable({ schema, name, keys, parts }: StagedTable): Promise<void> {
    const main = parts.get('');
    const table = `${schema}.${name}`;
    if (main === undefined)
      throw new HoldfastError('FORMAT_INVALID', `Table ${table} has families, but no other columns`);
    const others = [...parts.values()].filter((part) => part !== main);
    for (const part of parts.values()) await this.#client.query(`ANALYZE ${qualified(STAGING, part.name)}`);
    const columns = [...main.columns, ...others.flatMap((part) => part.columns.slice(keys.length))];
    const values = [
      ...main.columns.map((column) => `m.${quoted(column)}`),
      ...others.flatMap((part, i) =>
        part.columns.slice(keys.length).map((column) => `p${i}.${quoted(column)}`),
      ),
    ];
    const joins = others.map(
      (part, i) =>
        `JOIN ${qualified(STAGING, part.name)} AS p${i} ON ${keys.map((key) => `m.${quoted(key)} = p${i}.${quoted(key)}`).join(' AND ')}`,
    );
    const { rowCount } = await this.#client.query(
      `INSERT INTO ${qualified(schema, name)} (${quotedList(columns)}) OVERRIDING SYSTEM VALUE
         SELECT ${values.join(', ')} FROM ${qualified(STAGING, main.name)} AS m ${joins.join(' ')}`,
    );
    // Keys are unique: as many pairs as there are rows on both sides means that every row has found its other half.
    if ([...parts.values()].some((part) => part.rows !== rowCount))
      throw new HoldfastError('FORMAT_INVALID', `The families of table ${table} do not hold the same rows`);
    for (const part of parts.values())
      await this.#client.query(`DROP TABLE ${qualified(STAGING, part.name)}`);
  }
}
