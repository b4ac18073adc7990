/** A program of its own, since SQLite does not let anything else happen while it checks: `node sqlite-check.ts FILE`. */
import { DatabaseSync } from 'node:sqlite';

/** What it prints, as JSON. */
export interface SqliteFindings {
  /** SQLite's own words; none: the database is sound. */
  readonly problems: readonly string[];
  readonly tables: readonly { readonly name: string; readonly rows: number }[];
}

const MOST_PROBLEMS = 100;
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

function check(path: string): SqliteFindings {
  const database = new DatabaseSync(path, { readOnly: true });
  const column = (sql: string): unknown[] =>
    database
      .prepare(sql)
      .all()
      .map((row) => Object.values(row)[0]);
  try {
    const problems = column(`PRAGMA integrity_check(${MOST_PROBLEMS})`).map(String);
    if (problems.join() !== 'ok') return { problems, tables: [] };
    const names = column(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'create virtual%' ORDER BY name",
    ).map(String);
    const tables = names.map((name) => ({
      name,
      rows: Number(column(`SELECT count(*) FROM ${quoted(name)}`)[0]),
    }));
    return { problems: [], tables };
  } catch (error) {
    return { problems: [error instanceof Error ? error.message : String(error)], tables: [] };
  } finally {
    database.close();
  }
}

process.stdout.write(JSON.stringify(check(process.argv[2]!)));
