import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';

/** A digest of the schema and of every row of every table, in a fixed order; fails when SQLite finds damage. */
export function databaseDigest(path: string): string {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const [check] = database.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[];
    if (check?.integrity_check !== 'ok') throw new Error(`${path}: ${check?.integrity_check}`);
    const hash = createHash('sha256');
    const schema = database
      .prepare("SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name")
      .all() as { type: string; name: string; sql: string | null }[];
    hash.update(JSON.stringify(schema));
    for (const { type, name } of schema) {
      if (type !== 'table') continue;
      hash.update(`${name}\n`);
      for (const row of database.prepare(`SELECT * FROM "${name}" ORDER BY 1`).iterate())
        for (const value of Object.values(row))
          hash.update(value instanceof Uint8Array ? value : `${typeof value} ${value}\n`);
    }
    return hash.digest('hex');
  } finally {
    database.close();
  }
}
