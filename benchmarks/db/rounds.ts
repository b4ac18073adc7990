import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ChatDatabase } from './chat-database.ts';
import type { Contender, OperationCost } from './contender.ts';

export const EDITED_SHARE = 0.05;

/** In this order; each sees what those before it did. */
export const OPERATIONS = [
  'first backup',
  'unchanged backup',
  'unchanged backup, all rows compared',
  'backup, 5 % edited all over',
  'backup, 5 % newest edited',
  'restore',
] as const;
export type Operation = (typeof OPERATIONS)[number];

export interface Done {
  readonly cost: OperationCost;
  /** What it added to the storage. */
  readonly storedBytes: number;
}

/** What one contender did in one round. */
export interface Round {
  readonly contender: string;
  readonly databaseBytes: number;
  readonly done: Readonly<Partial<Record<Operation, Done>>>;
}

export type MakeContender = (chat: ChatDatabase, directory: string) => Promise<Contender>;

interface Entry {
  readonly contender: Contender;
  readonly done: Partial<Record<Operation, Done>>;
  stored: number;
}

/**
 * One round: the database as it was first, and fresh storages; then every operation by every contender before the next operation, so
 * that whatever else the machine does falls on all of them.
 */
export async function playRound(
  chat: ChatDatabase,
  makers: readonly MakeContender[],
  directory: string,
  tell: (line: string) => void,
): Promise<Round[]> {
  await chat.reset();
  const databaseBytes = await chat.bytes();
  const entries: Entry[] = [];
  try {
    for (const [i, make] of makers.entries()) {
      const contender = await make(chat, join(directory, `storage-${i}`));
      entries.push({ contender, done: {}, stored: await contender.storedBytes() });
    }
    for (const operation of OPERATIONS) {
      if (operation === 'backup, 5 % edited all over') await chat.edit('scattered', EDITED_SHARE);
      if (operation === 'backup, 5 % newest edited') await chat.edit('newest', EDITED_SHARE);
      const expected = operation === 'restore' ? await chat.contents(chat.name) : '';
      for (const entry of entries) await perform(operation, entry, chat, expected, tell);
    }
    return entries.map(({ contender, done }) => ({ contender: contender.name, databaseBytes, done }));
  } finally {
    for (const { contender } of entries) await contender.close();
  }
}

async function perform(
  operation: Operation,
  entry: Entry,
  chat: ChatDatabase,
  expected: string,
  tell: (line: string) => void,
): Promise<void> {
  const { contender, done } = entry;
  const reread = operation === 'unchanged backup, all rows compared';
  // Nobody else looks at rows at all, or can do it otherwise than always.
  if (reread && contender.name !== 'holdfast') return;
  // What is still to be written from before would be paid for by whoever comes next.
  await chat.server.query('checkpoint');
  await promisify(execFile)('sync');
  const cost =
    operation === 'restore' ? await restore(contender, chat, expected) : await contender.backup({ reread });
  const stored = await contender.storedBytes();
  done[operation] = { cost, storedBytes: stored - entry.stored };
  entry.stored = stored;
  tell(`${operation}, ${contender.name}: ${cost.seconds.toFixed(2)} s`);
}

/** Fails unless the restored database holds what the source does. */
async function restore(contender: Contender, chat: ChatDatabase, expected: string): Promise<OperationCost> {
  const database = `restored_by_${contender.name}`;
  const cost = await contender.restore(database);
  const restored = await chat.contents(database);
  await chat.server.query(`drop database ${database}`);
  if (restored === expected) return cost;
  throw new Error(`${contender.name} restored ${restored} instead of ${expected}`);
}
