import { endOfQuoted, quoteName, requalify } from '../quoting.ts';
import type { TableDefinition } from '../schema-facts.ts';

/**
 * A default that takes a sequence's next value names the sequence with its database. It cannot be made in the scratch database
 * for the target, where the sequence is not yet: such a column has a constant there, and its definition comes behind the move.
 */
export interface LateColumns {
  readonly table: string;
  /** As in CREATE TABLE; sequences are the target's. */
  readonly definitions: readonly string[];
}

const CALL = /(?:nextval|lastval)\(/iy;

/** The table's statement for the scratch database. */
export const withoutSequences = ({ create }: TableDefinition, from: string): string =>
  create
    .split('\n')
    .map((line) => constant(line, from))
    .join('\n');

export function lateColumns(
  { name, create }: TableDefinition,
  from: string,
  target: string,
): LateColumns | null {
  const lines = create.split('\n').filter((line) => line.startsWith('  `') && constant(line, from) !== line);
  const definitions = lines.map((line) => requalify(line.trim().replace(/,$/, ''), from, target));
  return definitions.length > 0 ? { table: name, definitions } : null;
}

function constant(line: string, from: string): string {
  const database = `${quoteName(from)}.`;
  let result = '';
  for (let at = 0; at < line.length; ) {
    CALL.lastIndex = at;
    const name = CALL.test(line) ? CALL.lastIndex + database.length : 0;
    const end =
      name > 0 && line.startsWith(database, name - database.length) ? endOfQuoted(line, name) : null;
    if (end !== null && line[end] === ')') {
      result += '0';
      at = end + 1;
      continue;
    }
    const next = endOfQuoted(line, at) ?? at + 1;
    result += line.slice(at, next);
    at = next;
  }
  return result;
}
