import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { putAside } from './aside.ts';
import type { BenchSource, Contender, OperationCost } from './contender.ts';
import type { BenchData } from './data.ts';

export const OPERATIONS = ['backup', 'unchanged backup', 'changed backup', 'restore'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** What one contender did in one round. */
export interface Round {
  readonly contender: string;
  readonly sourceBytes: number;
  readonly costs: Readonly<Record<Operation, OperationCost>>;
  /** After the first backup, and after the changed one. */
  readonly stored: readonly [number, number];
}

export type MakeContender = (source: BenchSource, directory: string) => Promise<Contender>;

interface Entry {
  readonly contender: Contender;
  readonly costs: Partial<Record<Operation, OperationCost>>;
  readonly stored: number[];
}

/**
 * One round: fresh storages, then every operation by every contender before the next operation, so that whatever else
 * the machine does falls on all of them. Who comes first changes from round to round.
 */
export async function playRound(
  data: BenchData,
  makers: readonly MakeContender[],
  directory: string,
  tell: (line: string) => void,
): Promise<Round[]> {
  await data.reset();
  const sourceBytes = await data.bytes();
  const entries: Entry[] = [];
  try {
    for (const [i, make] of makers.entries()) {
      entries.push({ contender: await make(data, join(directory, `storage-${i}`)), costs: {}, stored: [] });
    }
    for (const operation of OPERATIONS) {
      if (operation === 'changed backup') await data.change();
      for (const entry of entries) await perform(operation, entry, data, directory, tell);
    }
    return entries.map(({ contender, costs, stored }) => ({
      contender: contender.name,
      sourceBytes,
      costs: costs as Record<Operation, OperationCost>,
      stored: [stored[0]!, stored[1]!],
    }));
  } finally {
    for (const { contender } of entries) await contender.close();
  }
}

async function perform(
  operation: Operation,
  { contender, costs, stored }: Entry,
  data: BenchData,
  directory: string,
  tell: (line: string) => void,
): Promise<void> {
  // What is still to be written from before would be paid for by whoever comes next.
  await promisify(execFile)('sync');
  const cost = operation === 'restore' ? await restore(contender, data, directory) : await contender.backup();
  costs[operation] = cost;
  if (operation === 'backup' || operation === 'changed backup') stored.push(await contender.storedBytes());
  tell(`${data.kind}, ${operation}, ${contender.name}: ${cost.seconds.toFixed(2)} s`);
}

async function restore(contender: Contender, data: BenchData, directory: string): Promise<OperationCost> {
  const to = join(directory, `restored-${contender.name}`);
  try {
    const { cost, restored } = await contender.restore(to);
    await data.check(restored);
    return cost;
  } finally {
    await putAside(to, dirname(directory));
  }
}
