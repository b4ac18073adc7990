import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { PostgresServer } from './postgres-server.ts';

const run = promisify(execFile);
/** Debian's: it dumps servers up to its own version. */
const PG_DUMP = '/usr/lib/postgresql/15/bin/pg_dump';
export const NEWEST_DUMPED = 15;

/** Lines that differ from dump to dump, or from server to server. */
const UNSTABLE = /^(\\(un)?restrict |-- Dumped (from|by) )/;

/**
 * `pg_dump`'s text of schema and data, without what dumps do not keep stable: versions, `\restrict` keys, and the order of
 * rows. Equal texts: equal databases, by PostgreSQL's own judgement.
 */
export async function dumpOf(
  server: PostgresServer,
  database: string,
  flags: readonly string[] = [],
): Promise<string> {
  const { stdout } = await run(PG_DUMP, [`--dbname=dbname='${database}'`, ...flags], {
    env: server.environment(database),
    maxBuffer: 1 << 29,
  });
  return normalised(stdout.split('\n')).join('\n');
}

function* sortedRows(lines: readonly string[]): Generator<string> {
  let rows: string[] | null = null;
  for (const line of lines) {
    if (rows === null) {
      yield line;
      if (/^COPY .* FROM stdin;$/.test(line)) rows = [];
    } else if (line === '\\.') {
      yield* rows.sort();
      yield line;
      rows = null;
    } else rows.push(line);
  }
}

const normalised = (lines: readonly string[]): string[] =>
  [...sortedRows(lines)].filter((line) => !UNSTABLE.test(line));

/** The first lines in which two dumps differ, for a message that can be read. Null when they are equal. */
export function firstDifference(expected: string, actual: string): string | null {
  if (expected === actual) return null;
  const [left, right] = [expected.split('\n'), actual.split('\n')];
  let at = 0;
  while (left[at] === right[at]) at += 1;
  const around = (lines: readonly string[]): string =>
    lines
      .slice(Math.max(0, at - 3), at + 5)
      .map((line) => line.slice(0, 200))
      .join('\n');
  return `line ${at + 1}:\n--- expected\n${around(left)}\n+++ actual\n${around(right)}`;
}
