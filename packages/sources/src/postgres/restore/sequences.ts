import type pg from 'pg';
import type { SequenceFact } from '../schema-facts.ts';
import { qualified } from './sql-names.ts';

const AT_A_TIME = 1000;

/** Of those that are there: a selection leaves some out. */
export async function setSequences(client: pg.Client, states: readonly SequenceFact[]): Promise<void> {
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
