import { HoldfastError } from '@holdfast/contracts';
import type pg from 'pg';
import { parseJson } from './interim/schema-facts.ts';
import { qualified } from './sql-names.ts';

export interface SequenceState {
  readonly schema: string;
  readonly name: string;
  /** Decimal. */
  readonly last: string;
  /** Whether `last` was given out already. */
  readonly called: boolean;
}

const AT_A_TIME = 1000;

/** FORMAT_INVALID. */
export function parseSequences(bytes: Uint8Array): SequenceState[] {
  const list = parseJson(bytes, '4-sequences');
  if (Array.isArray(list) && list.every(isState)) return list;
  throw new HoldfastError('FORMAT_INVALID', '4-sequences does not hold what it should');
}

const isState = (value: unknown): value is SequenceState => {
  const { schema, name, last, called } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof schema === 'string' &&
    typeof name === 'string' &&
    typeof last === 'string' &&
    /^-?\d{1,19}$/.test(last) &&
    typeof called === 'boolean'
  );
};

/** Of those that are there: a selection leaves some out. */
export async function setSequences(client: pg.Client, states: readonly SequenceState[]): Promise<void> {
  for (let at = 0; at < states.length; at += AT_A_TIME) {
    const some = states.slice(at, at + AT_A_TIME);
    await client.query(
      `SELECT setval(s.name::regclass, s.last, s.called)
       FROM unnest($1::text[], $2::bigint[], $3::bool[]) AS s(name, last, called)
       WHERE to_regclass(s.name) IS NOT NULL`,
      [
        some.map(({ schema, name }) => qualified(schema, name)),
        some.map(({ last }) => last),
        some.map(({ called }) => called),
      ],
    );
  }
}
