import { HoldfastError, type ShardTransport } from '@holdfast/contracts';
import { expect } from 'vitest';
import type { BackupReport, EngineEvent } from '../../src/index.ts';
import { backUp, database, expectRestores, file, randomFile, rejection } from '../content.ts';
import { separationViolations } from '../separation.ts';
import type { TestVault } from '../test-vault.ts';
import type { Death } from './deaths.ts';
import { fate, keysUsedTwice } from './threads.ts';

const text = (lines: number): Buffer =>
  Buffer.from(Array.from({ length: lines }, (_, i) => `${(i * 2654435761) >>> 0} of ${i >> 3}\n`).join(''));

/** Several partitions: of some the last frame does not fit whole, and its chunks go into two. */
export const OBJECTS = [
  ...Array.from({ length: 120 }, (_, i) => randomFile(`a/${i + 100}`, 40_000)),
  file('b', text(150_000)),
  database(randomFile('', 2_000_000).content!),
  randomFile('e', 1_500_000),
];

/** Milliseconds that a peer takes: stripes are still on their way when a thread dies. */
const DELAY = 30;

export async function slowly<T>(vault: TestVault, run: () => Promise<T>, delay = DELAY): Promise<T> {
  for (const peer of vault.peers) vault.transport.faults(peer).delay = delay;
  try {
    return await run();
  } finally {
    for (const peer of vault.peers) vault.transport.faults(peer).delay = 0;
  }
}

export type Restarts = Extract<EngineEvent, { type: 'worker-restarted' }>[];

/** For `onEvent`. */
export const collecting = (restarts: Restarts) => (event: EngineEvent) => {
  if (event.type === 'worker-restarted') restarts.push(event);
};

export async function backUpAndDie(
  vault: TestVault,
  ...deaths: Death[]
): Promise<{ report: BackupReport; restarts: Restarts }> {
  const restarts: Restarts = [];
  fate(...deaths);
  const onEvent = collecting(restarts);
  const report = await slowly(vault, () => backUp(vault.engine, OBJECTS, { onEvent }));
  return { report, restarts };
}

/** Lets so many PUTs through, and aborts. */
export async function interrupted(vault: TestVault, after: number): Promise<void> {
  const controller = new AbortController();
  let begun = 0;
  const put: ShardTransport['put'] = async (peer, shard, options) => {
    if (begun++ < after) return vault.transport.put(peer, shard, options);
    controller.abort();
    throw new HoldfastError('CANCELLED', 'The test stops here.');
  };
  const engine = await vault.reopen({ transport: { ...vault.transport, put } });
  expect(await rejection(backUp(engine, OBJECTS, { signal: controller.signal }))).toMatchObject({
    code: 'CANCELLED',
  });
}

/** Nothing is lost, nothing stored twice, no key used for two things, and the peers are as far apart as ever. */
export async function expectSound(vault: TestVault, { snapshot }: BackupReport): Promise<void> {
  expect(keysUsedTwice()).toEqual([]);
  fate();
  await expectRestores(vault.engine, snapshot.id, OBJECTS);
  expect(await vault.engine.verify({ snapshot: snapshot.id, sample: 1 })).toMatchObject({ healthy: true });
  expect(await separationViolations(vault)).toEqual([]);
  expect(await vault.catalog.journalledPartitions()).toEqual([]);
}

/** No chunk lies in two partitions, and no number stands for two. For vaults that never gave one up. */
export function expectNothingTwice({ catalog }: TestVault): void {
  const numbers = catalog.journalsEver.map(({ stripe }) => stripe.number);
  expect(new Set(numbers).size).toBe(numbers.length);
  const ids = catalog.journalsEver.map(({ stripe }) => stripe.id);
  expect(new Set(ids).size).toBe(ids.length);
  const chunks = catalog.journalsEver.flatMap(({ frames }) => frames.flatMap((frame) => frame.chunks));
  expect(new Set(chunks.map(({ id }) => id)).size).toBe(chunks.length);
}
