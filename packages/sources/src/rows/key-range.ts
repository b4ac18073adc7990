import { HoldfastError } from '@holdfast/contracts';
import type { RowsDescription, RowsSample } from '@holdfast/formats/rows';
import { type KeyValue, type KeyValues, keyValues } from './key-values.ts';

type Operator = '=' | '<' | '<=' | '>' | '>=';

export interface KeyCondition {
  readonly column: string;
  readonly operator: Operator;
  readonly value: string;
}

const NAME = String.raw`(?:"((?:[^"]|"")+)"|([A-Za-z_][\w$]*))`;
const VALUE = String.raw`(?:'((?:[^']|'')*)'|([-+]?[\w.:+-]+))`;
const COMPARISON = new RegExp(String.raw`^\s*${NAME}\s*(<=|>=|=|<|>)\s*${VALUE}`);
const BETWEEN = new RegExp(String.raw`^\s*${NAME}\s+between\s+${VALUE}\s+and\s+${VALUE}`, 'i');
const AND = /^\s+and\s+(?=\S)/i;

/** `id >= 5 and id < 10`, `at between '2026-11-01' and '2026-11-02'`. USAGE for anything else. */
export function parseKeyConditions(text: string): KeyCondition[] {
  const conditions: KeyCondition[] = [];
  for (let rest = text; ; ) {
    const found = BETWEEN.exec(rest) ?? COMPARISON.exec(rest);
    if (!found) throw unreadable(text, rest);
    conditions.push(...conditionsOf(found));
    rest = rest.slice(found[0].length);
    if (rest.trim() === '') return conditions;
    const and = AND.exec(rest);
    if (!and) throw unreadable(text, rest);
    rest = rest.slice(and[0].length);
  }
}

function conditionsOf(found: RegExpExecArray): KeyCondition[] {
  const [, quoted, bare] = found;
  const column = quoted?.replaceAll('""', '"') ?? bare!;
  const value = (at: number): string => found[at]?.replaceAll("''", "'") ?? found[at + 1]!;
  if (found.length === 6) return [{ column, operator: found[3] as Operator, value: value(4) }];
  return [
    { column, operator: '>=', value: value(3) },
    { column, operator: '<=', value: value(5) },
  ];
}

interface Check {
  /** Position among the columns. */
  readonly at: number;
  readonly operator: Operator;
  readonly values: KeyValues;
  readonly bound: KeyValue;
}

/** Conditions on the key of one table's rows. */
export class KeyRange {
  readonly #checks: readonly Check[];

  /** USAGE for a column that is not of the key, a value that is none, and a comparison that only the database could make. */
  constructor(conditions: readonly KeyCondition[], description: RowsDescription) {
    this.#checks = conditions.map((condition) => checkOf(condition, description));
  }

  /** The bytes of content that may hold rows in the range, by the samples in the object's index. */
  bytes(
    samples: readonly RowsSample[],
    size: number,
    keyOf: (key: Uint8Array) => readonly (Uint8Array | null)[],
  ) {
    const first = this.#checks.filter(({ at, values }) => at === 0 && values.ordered);
    let [from, to] = [0, size];
    for (const { offset, key } of samples) {
      const [field] = keyOf(key);
      if (!field) continue;
      for (const { operator, values, bound } of first) {
        const value = values.decode(field);
        // Rows of the same first column may lie on both sides of a sample.
        if (!operator.startsWith('<') && value < bound) from = Math.max(from, offset);
        if (!operator.startsWith('>') && value > bound) to = Math.min(to, offset);
      }
    }
    return { from, to: Math.max(from, to) };
  }

  /** @param fields of a whole row */
  keep(fields: readonly (Uint8Array | null)[]): boolean {
    return this.#checks.every(({ at, operator, values, bound }) => {
      const field = fields[at];
      return field != null && holds(operator, values.decode(field), bound);
    });
  }
}

function checkOf({ column, operator, value }: KeyCondition, description: RowsDescription): Check {
  const { dialect, columns, keyColumns, schema, table } = description;
  const key = columns.slice(0, keyColumns);
  const at = key.findIndex(({ name }) => name === column);
  const what = `${schema}.${table}`;
  if (at < 0) {
    throw new HoldfastError('USAGE', `"${column}" is not a column of the key of ${what}.`, {
      hint:
        key.length === 0
          ? 'The table has no key; restore all of it.'
          : `Its key: ${key.map(({ name }) => name).join(', ')}.`,
    });
  }
  const values = keyValues(key[at]!, dialect);
  if (values === null || (operator !== '=' && !values.ordered)) {
    throw new HoldfastError(
      'USAGE',
      `Values of ${what}.${column}, ${key[at]!.type}, cannot be compared by ${operator} here.`,
      {
        hint: values
          ? 'Text is ordered by the database only: ask for = or restore the whole table.'
          : 'Restore the whole table.',
      },
    );
  }
  const bound = values.parse(value);
  if (bound === null) {
    throw new HoldfastError(
      'USAGE',
      `${JSON.stringify(value)} is not a value of ${what}.${column}, ${key[at]!.type}.`,
    );
  }
  return { at, operator, values, bound };
}

function holds(operator: Operator, value: KeyValue, bound: KeyValue): boolean {
  switch (operator) {
    case '=':
      return value === bound;
    case '<':
      return value < bound;
    case '<=':
      return value <= bound;
    case '>':
      return value > bound;
    case '>=':
      return value >= bound;
  }
}

const unreadable = (text: string, rest: string): HoldfastError =>
  new HoldfastError(
    'USAGE',
    `Not understood in ${JSON.stringify(text)}: ${JSON.stringify(rest.trim() || 'the end')}.`,
    {
      hint: `Write conditions on the key, such as: id >= 5 and id < 10, or: at between '2026-11-01' and '2026-11-30'.`,
    },
  );
