import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoldfastError, peerIdFromKey, type Source, type SourceSnapshot } from '@holdfast/contracts';
import { systemRandom, VaultKeys } from '@holdfast/crypto';
import { HoldfastEngine } from '@holdfast/engine';
import { systemClock } from '@holdfast/node';
import { MemoryCatalog } from '@holdfast/testing/memory-catalog';
import { MemoryShardStore } from '@holdfast/testing/memory-shard-store';
import { memorySource } from '@holdfast/testing/memory-source';
import { memoryTransport } from '@holdfast/testing/memory-transport';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Agent } from '../../src/agent/agent.ts';
import { backUp } from '../../src/agent/backup-task.ts';
import type { LogEvent } from '../../src/agent/log.ts';
import { freshState, readState, writeState } from '../../src/agent/state-file.ts';
import { type PreparedRun, plainTask, type Task } from '../../src/agent/task.ts';
import { scheduleSchema } from '../../src/config/schedule-schema.ts';
import { PeerNames } from '../../src/vault/peer-names.ts';

let directory: string;
let opened: Parameters<typeof backUp>[0];
const catalog = new MemoryCatalog();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-failing-'));
  const peers = Array.from({ length: 6 }, () => peerIdFromKey(randomBytes(32)));
  const stores = new Map(peers.map((id) => [id, new MemoryShardStore({ capacityBytes: 1024 ** 3 })]));
  for (const [i, id] of peers.entries()) {
    const facts = {
      name: `peer${i}`,
      operator: `operator${i}`,
      region: 'eu/de/berlin',
      host: 'memory',
      port: 1,
    };
    await catalog.putPeer({ id, ...facts, state: 'active' });
  }
  const owner = peerIdFromKey(randomBytes(32));
  const engine = await HoldfastEngine.create({
    clock: systemClock,
    random: systemRandom,
    catalog,
    transport: memoryTransport(stores, owner),
    keys: VaultKeys.fromRoot(randomBytes(32)),
    owner,
    policy: { version: 1, k: 2, m: 2, helpers: 0, maxPerOperator: 1, compressionLevel: 1, leaseDays: 30 },
    cacheDirectory: directory,
    workers: 1,
  });
  opened = { engine, peerNames: async () => new PeerNames(await catalog.peers()) };
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Three tables. At `failAt` a table stops being readable; with `cutOff` the server goes away once two of them were read. */
function dump(content: Uint8Array, trouble: { failAt?: number; cutOff?: boolean } = {}): Source {
  const { failAt, cutOff } = trouble;
  const source = memorySource([
    { path: 'first table', content: content.subarray(0, 300_000) },
    { path: 'second table', content, sizeKnown: false, ...(failAt === undefined ? {} : { failAt }) },
    { path: 'third table', content: content.subarray(0, 100) },
  ]);
  return cutOff ? { ...source, open: async (options) => cutOffAfter(2, await source.open(options)) } : source;
}

function cutOffAfter(count: number, snapshot: SourceSnapshot): SourceSnapshot {
  return {
    ...snapshot,
    async *objects(options) {
      let left = count;
      for await (const object of snapshot.objects(options)) {
        if (left-- === 0) throw new HoldfastError('SOURCE_UNREADABLE', 'The server closed the connection.');
        yield object;
      }
    },
  };
}

function taskOf(source: () => Source): Task {
  const prepared: PreparedRun = {
    run: (signal, log) => backUp(opened, 'dump', source(), signal, log),
    [Symbol.asyncDispose]: async () => {},
  };
  const schedule = scheduleSchema.parse({ every: '1s', jitter: '0s', retries: { count: 0 } });
  const facts = { name: 'backup:dump', lane: 'vault', schedule, hooks: {}, source: 'dump' };
  return { ...plainTask({ ...facts, run: async () => ({ summary: '' }) }), prepare: async () => prepared };
}

interface Watched {
  readonly agent: Agent;
  readonly events: LogEvent[];
  readonly stop: AbortController;
  /** Resolves with the so manieth event of that name. */
  sees(event: string, count: number): Promise<LogEvent>;
}

function watched(source: () => Source): Watched {
  const events: LogEvent[] = [];
  const changed = new EventTarget();
  const agent = new Agent({
    vault: directory,
    clock: systemClock,
    log: (event) => {
      events.push(event);
      changed.dispatchEvent(new Event('change'));
    },
    tasks: [taskOf(source)],
    saved: freshState(systemRandom),
    save: (state) => writeState(directory, state),
    grace: 60_000,
  });
  const sees = async (name: string, count: number): Promise<LogEvent> => {
    for (;;) {
      const found = events.filter(({ event }) => event === name)[count - 1];
      if (found) return found;
      await once(changed, 'change');
    }
  };
  return { agent, events, stop: new AbortController(), sees };
}

const record = async () => (await readState(directory)).state!.tasks['backup:dump']!.record;

describe('a source that fails midway', { timeout: 60_000 }, () => {
  const content = randomBytes(6_000_000);

  it('as a whole leaves no snapshot, and the next run that works makes one', async () => {
    let cutOff = true;
    const { agent, stop, sees } = watched(() => dump(content, { cutOff }));
    const running = agent.run(stop.signal);
    expect(await sees('run-failed', 2)).toMatchObject({
      snapshot: null,
      error: { code: 'SOURCE_UNREADABLE' },
    });
    expect(await catalog.snapshots()).toEqual([]);
    expect(await record()).toMatchObject({ lastSuccess: null, lastFailure: { code: 'SOURCE_UNREADABLE' } });
    cutOff = false;
    await sees('run-succeeded', 1);
    stop.abort();
    await running;
    const [made] = await catalog.snapshots();
    expect(made).toMatchObject({ complete: true, totals: { objects: 3, bytes: 6_300_100 } });
    expect(await record()).toMatchObject({ lastSuccess: { snapshot: expect.any(String) }, failures: 0 });
  });

  it('in one object leaves a snapshot that says it is incomplete, and the run counts as failed', async () => {
    const before = (await catalog.snapshots()).length;
    const { agent, events, stop, sees } = watched(() => dump(content, { failAt: 4_000_000 }));
    const running = agent.run(stop.signal);
    const failed = await sees('run-failed', 1);
    stop.abort();
    await running;
    const made = (await catalog.snapshots()).slice(before);
    expect(made.map(({ complete }) => complete)).not.toContain(true);
    expect(failed).toMatchObject({ snapshot: made[0]!.id, error: { code: 'INCOMPLETE' } });
    expect(events.filter(({ event }) => event === 'run-succeeded')).toEqual([]);
    expect(await record()).toMatchObject({ lastSuccess: null, lastFailure: { code: 'INCOMPLETE' } });
  });
});
