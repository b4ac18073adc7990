import { HoldfastError } from '@holdfast/contracts';
import type { RowsDescription } from '@holdfast/formats/rows';
import type { SchemaFacts, TableFact } from '../schema-facts.ts';

/** `table` is `NAME` or `SCHEMA.NAME`; a partitioned table stands for its partitions too. */
export interface TableChoice {
  readonly table: string;
  /** Labels of windows (`2026-11`). Default: all. They say nothing of tables that have none. */
  readonly windows?: readonly string[];
  /** Names of families beside the columns that are in none. Default: all. */
  readonly families?: readonly string[];
}

/** Which part of a snapshot to restore. Null stands for everything. */
export class Selection {
  readonly #only: readonly TableChoice[] | null;
  readonly #without: readonly string[];

  /** `without`: `TABLE.FAMILY`. */
  constructor(only: readonly TableChoice[] | null, without: readonly string[]) {
    this.#only = only;
    this.#without = without;
  }

  get isWhole(): boolean {
    return this.#only === null;
  }

  /** NOT_FOUND for names that the snapshot does not have. */
  check(facts: SchemaFacts): void {
    for (const choice of this.#only ?? []) {
      const tables = facts.tables.filter((table) => isNamed(choice.table, table.schema, table.name));
      if (tables.length === 0) throw unknown('table', choice.table, facts.tables.map(tableName));
      for (const family of choice.families ?? []) this.#checkFamily(choice.table, family, tables);
    }
    const families = facts.tables.flatMap((table) =>
      Object.keys(table.families).map((family) => ({ table, family })),
    );
    for (const name of this.#without)
      if (!families.some(({ table, family }) => isFamily(name, table, family)))
        throw unknown(
          'family',
          name,
          families.map(({ table, family }) => `${tableName(table)}.${family}`),
        );
  }

  /** Tables that are named, of those that the snapshot has. */
  chosenTables(facts: SchemaFacts): TableFact[] {
    return facts.tables.filter((table) => this.#choices(table.schema, table.name).length > 0);
  }

  /** Of families the table has, those to be restored. */
  families(table: TableFact): string[] {
    const choices = this.#choices(table.schema, table.name);
    return Object.keys(table.families).filter(
      (family) =>
        !this.#without.some((name) => isFamily(name, table, family)) &&
        (this.#only === null ||
          choices.some((choice) => choice.families === undefined || choice.families.includes(family))),
    );
  }

  /** Whether the window is wanted, of a table that is. Partitions are not named themselves: they have what `of` has. */
  wantsWindow(rows: RowsDescription, of: { schema: string; name: string }): boolean {
    if (this.#only === null) return true;
    const { window } = rows;
    return this.#choices(of.schema, of.name).some(
      ({ windows }) => windows === undefined || window === null || windows.includes(window.label),
    );
  }

  #choices(schema: string, name: string): readonly TableChoice[] {
    return (this.#only ?? []).filter((choice) => isNamed(choice.table, schema, name));
  }

  #checkFamily(name: string, family: string, tables: readonly TableFact[]): void {
    const known = tables.flatMap((table) => Object.keys(table.families));
    if (!known.includes(family)) throw unknown('family', `${name}.${family}`, known);
  }
}

export const isNamed = (text: string, schema: string, name: string): boolean =>
  text === name || text === `${schema}.${name}`;

const isFamily = (text: string, { schema, name }: TableFact, family: string): boolean =>
  text === `${name}.${family}` || text === `${schema}.${name}.${family}`;

const tableName = ({ schema, name }: TableFact): string => `${schema}.${name}`;

const SHOWN = 20;

function unknown(what: string, name: string, known: readonly string[]): HoldfastError {
  const shown = known.slice(0, SHOWN).join(', ') + (known.length > SHOWN ? ', …' : '');
  return new HoldfastError('NOT_FOUND', `The snapshot has no ${what} ${name}`, {
    hint: shown === '' ? `It has none at all.` : `It has: ${shown}`,
  });
}
