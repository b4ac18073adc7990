import { HoldfastError } from '@holdfast/contracts';
import type { RowsDescription } from '@holdfast/formats/rows';

/** Refuses tables and families that would run into each other in one export. */
export class TablesSeen {
  readonly #format: string;
  readonly #several: boolean;
  #last: RowsDescription | null = null;

  constructor(format: string, several: boolean) {
    this.#format = format;
    this.#several = several;
  }

  get none(): boolean {
    return this.#last === null;
  }

  /** Whether these rows are the first of all, and whether they are of another table, or family, than those before. USAGE. */
  next(description: RowsDescription): { first: boolean; another: boolean } {
    const last = this.#last;
    this.#last = description;
    if (last === null) return { first: true, another: true };
    if (last.dialect !== description.dialect) {
      throw new HoldfastError('FORMAT_INVALID', 'One snapshot has tables of two kinds of servers.');
    }
    if (nameOf(last) !== nameOf(description)) return this.#otherTable(last, description);
    if (last.family !== description.family) return this.#otherFamily(last, description);
    if (columnsOf(last) !== columnsOf(description)) {
      throw new HoldfastError('FORMAT_INVALID', `Rows of ${nameOf(last)} have different columns.`);
    }
    return { first: false, another: false };
  }

  #otherTable(last: RowsDescription, description: RowsDescription): { first: boolean; another: boolean } {
    if (this.#several || this.#format === 'sql') return { first: false, another: true };
    throw new HoldfastError(
      'USAGE',
      `Rows of ${nameOf(last)} and ${nameOf(description)} would follow each other in one export to ${this.#format}.`,
      { hint: 'Choose one table, or export to SQL.' },
    );
  }

  /** A family's rows are parts of rows: only where each says so can they be put together again. */
  #otherFamily(last: RowsDescription, description: RowsDescription): { first: boolean; another: boolean } {
    if (this.#several && this.#format === 'ndjson') return { first: false, another: true };
    const families = [last, description].map(({ family }) => family ?? 'main').join(' and ');
    throw new HoldfastError(
      'USAGE',
      `${nameOf(last)} is stored in column families, and one export cannot hold ${families}.`,
      { hint: 'Choose one family, or restore the table to a database, which puts them together.' },
    );
  }
}

const nameOf = ({ schema, table }: RowsDescription): string => `${schema}.${table}`;
const columnsOf = ({ columns }: RowsDescription): string =>
  JSON.stringify(columns.map(({ name, typeId, encoding }) => [name, typeId, encoding]));
