import { execFile } from 'node:child_process';
import { copyFile, mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { makeChatDatabase } from '../../tools/demo/chat-database.ts';
import { editChatDatabase } from '../../tools/demo/chat-edits.ts';
import { directorySize } from '../harness/directory-size.ts';
import { putAside } from './aside.ts';
import type { BenchSource, SourceKind } from './contender.ts';
import { editFileTree, type FileTree, makeFileTree } from './file-tree.ts';

const run = promisify(execFile);
const SEED = 20;
const CHANGED = 0.01;
/** What a chat database of scale 1 comes to, more or less. */
const DATABASE_BYTES = 237 * 2 ** 20;

/** Data to back up: made once, and put back to its first state before each run. */
export interface BenchData extends BenchSource {
  bytes(): Promise<number>;
  /** The first state, in files of its own that no program has seen yet. */
  reset(): Promise<void>;
  /** The same 1 % in every run. */
  change(): Promise<void>;
  /** Fails unless `restored` is what the source is now. */
  check(restored: string): Promise<void>;
}

export const makeData = (kind: SourceKind, directory: string, bytes: number): Promise<BenchData> =>
  kind === 'database' ? databaseData(directory, bytes) : treeData(directory, bytes);

async function databaseData(directory: string, bytes: number): Promise<BenchData> {
  await mkdir(directory, { recursive: true });
  const [path, first] = [join(directory, 'chat.db'), join(directory, 'first.db')];
  await makeChatDatabase(first, { seed: SEED, scale: bytes / DATABASE_BYTES });
  return {
    kind: 'database',
    path,
    bytes: async () => (await stat(path)).size,
    reset: async () => {
      for (const file of [path, `${path}-wal`, `${path}-shm`]) await rm(file, { force: true });
      await copyFile(first, path);
    },
    change: async () => {
      const database = new DatabaseSync(path);
      editChatDatabase(database, { seed: SEED + 1, fraction: CHANGED });
      // The log goes into the file, so that a program that knows nothing of SQLite sees all of it too.
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      database.close();
    },
    check: async (restored) => void (await run('cmp', [path, restored])),
  };
}

async function treeData(directory: string, bytes: number): Promise<BenchData> {
  const [path, first] = [join(directory, 'tree'), join(directory, 'first')];
  await mkdir(first, { recursive: true });
  const tree: FileTree = await makeFileTree(first, bytes, SEED);
  return {
    kind: 'tree',
    path,
    bytes: () => directorySize(path),
    reset: async () => {
      await putAside(path, dirname(directory));
      await run('cp', ['-a', first, path]);
    },
    change: () => editFileTree({ ...tree, root: path }, CHANGED, SEED + 1),
    check: async (restored) => void (await run('diff', ['-r', '-q', path, restored])),
  };
}
