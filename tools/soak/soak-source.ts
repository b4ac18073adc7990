import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Random } from '@holdfast/contracts';
import { databaseDigest } from '../../test/e2e/support/database.ts';
import { treeDigest } from '../../test/e2e/support/tree-digest.ts';
import type { SourceName } from './schedule.ts';

/** What is backed up: made and edited from seeded randomness, and only while no backup runs. */
export interface SoakSource {
  readonly name: SourceName;
  readonly kind: 'sqlite' | 'tree';
  readonly path: string;
  create(random: Random): Promise<void>;
  edit(random: Random): Promise<void>;
  /** Of this source as it is now, or of a restored copy. */
  digest(path: string): Promise<string>;
}

const ROWS = 2_000;
const ROW_BYTES = 4_000;
const FILES = 48;

const below = (random: Random, limit: number): number => Math.floor(random.uniform() * limit);

export function databaseSource(directory: string): SoakSource {
  const path = join(directory, 'app.db');
  const change = (work: (database: DatabaseSync) => void): void => {
    const database = new DatabaseSync(path);
    try {
      database.exec('BEGIN');
      work(database);
      database.exec('COMMIT');
    } finally {
      database.close();
    }
  };
  return {
    name: 'database',
    kind: 'sqlite',
    path,
    async create(random) {
      const database = new DatabaseSync(path);
      database.exec(
        'PRAGMA journal_mode = WAL; CREATE TABLE item (id INTEGER PRIMARY KEY, body BLOB, note TEXT)',
      );
      database.close();
      change((db) => {
        const insert = db.prepare('INSERT INTO item (body, note) VALUES (?, ?)');
        for (let row = 0; row < ROWS; row++) insert.run(random.bytes(ROW_BYTES), `row ${row}`);
      });
    },
    async edit(random) {
      change((db) => {
        const update = db.prepare('UPDATE item SET body = ? WHERE id = ?');
        const first = below(random, ROWS);
        const run = 400 + below(random, 1_600);
        for (let row = 0; row < run; row++) update.run(random.bytes(ROW_BYTES), 1 + ((first + row) % ROWS));
        for (let row = 0; row < 60; row++) update.run(random.bytes(ROW_BYTES), 1 + below(random, ROWS));
      });
    },
    digest: async (database) => databaseDigest(database),
  };
}

export function filesSource(directory: string): SoakSource {
  const path = join(directory, 'files');
  const nameOf = (file: number): string => join(path, `folder ${file % 5}`, `file-${file}`);
  /** Every eighth file is large, some are empty. */
  const write = async (random: Random, file: number): Promise<void> => {
    const bytes =
      file % 8 === 0 ? 600_000 + below(random, 1_500_000) : below(random, 9) * below(random, 9_000);
    await writeFile(nameOf(file), random.bytes(bytes));
    await chmod(nameOf(file), 0o600 + below(random, 8) * 8);
  };
  return {
    name: 'files',
    kind: 'tree',
    path,
    async create(random) {
      for (let folder = 0; folder < 5; folder++)
        await mkdir(join(path, `folder ${folder}`), { recursive: true });
      for (let file = 0; file < FILES; file++) await write(random, file);
    },
    async edit(random) {
      const changes = 4 + below(random, 14);
      for (let change = 0; change < changes; change++) {
        const file = below(random, FILES);
        if (random.uniform() < 0.15) await rm(nameOf(file), { force: true });
        else await write(random, file);
      }
    },
    digest: treeDigest,
  };
}
