import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { lockVault, openCatalog } from '@holdfast/catalog';
import { HoldfastError, type PeerId, type PlacementNote } from '@holdfast/contracts';
import { defaultSettings } from '@holdfast/placement';
import {
  sampleJournal,
  samplePartitionId,
  samplePeer,
  samplePeerId,
} from '@holdfast/testing/catalog-samples';
import { MemoryCatalog } from '@holdfast/testing/memory-catalog';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXIT } from '../src/exit-codes.ts';
import type { Probe } from '../src/vault/probe.ts';
import { recordProbes } from '../src/vault/record-probes.ts';
import { holdfast, type Ran } from './run-command.ts';

let vault: string;
let directory: string;
const run = (...args: string[]): Promise<Ran> => holdfast(args, { env: { HOLDFAST_VAULT: vault } });
const json = async (...args: string[]) => {
  const ran = await run(...args, '--json');
  return { code: ran.code, value: JSON.parse(ran.stdout) as Record<string, unknown> };
};

const REGIONS = ['eu/de/a', 'eu/de/b', 'eu/de/c', 'eu/de/d', 'na/us/a'];
const fact = (n: number) => ({
  id: samplePeerId(n),
  operator: `operator-${n}`,
  region: REGIONS[n]!,
  failureDomains: [],
  member: true,
  freeBytes: 2 ** 30,
  capacityBytes: 2 ** 31,
  latencyMs: 10,
});

/** Four placements: one within the rules, one in one region, one whose shard moved, one from before there were records. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-placement-'));
  vault = join(directory, 'vault');
  await run('init', '--json', '--k', '2', '--m', '1');
  const catalog = await openCatalog(join(vault, 'catalog.sqlite'), {
    clock: { now: () => 1_700_000_000_000 },
  });
  for (const n of [0, 1, 2, 3, 4]) {
    await catalog.putPeer(samplePeer(n, { operator: `operator-${n}`, region: REGIONS[n]!, port: 1 }));
  }
  const view = await catalog.recordSwarmView([0, 1, 2, 3, 4].map(fact));
  const { off, ...figures } = defaultSettings(2);
  const policy = { version: 3, mode: 'deterministic', settings: { ...figures, off, saltEpoch: 0 } };
  const note = (...rules: string[]): PlacementNote => ({
    policy,
    view,
    relaxations: rules.map((rule) => ({ rule, reason: `too little of ${rule}` })),
  });
  const on = (...peers: number[]): { peers: PeerId[] } => ({ peers: peers.map(samplePeerId) });
  await catalog.journalPartition(sampleJournal(1, on(0, 1, 4)), note());
  await catalog.journalPartition(sampleJournal(2, on(0, 1, 2)), note('continent'));
  await catalog.journalPartition(sampleJournal(3, on(0, 1, 4)), note());
  await catalog.moveJournalledShard(samplePartitionId(3), 2, samplePeerId(3), {
    view,
    relaxations: note('continent').relaxations,
  });
  await catalog.journalPartition(sampleJournal(4, on(0, 1, 2)));
  for (const n of [1, 2]) await catalog.completePartition(samplePartitionId(n));
  await catalog.close();
});
afterEach(() => rm(directory, { recursive: true }));

describe('placement check', () => {
  it('finds every rule kept, and says which gave way', async () => {
    const { code, value } = await json('placement', 'check');
    expect(code).toBe(EXIT.ok);
    expect(value).toMatchObject({ placements: 4, unrecorded: 1, relaxed: 2, broken: [] });
    const { stdout } = await run('placement', 'check');
    expect(stdout).toContain('✓ Every placement keeps the rules');
    expect(stdout).toMatch(/not recorded +1 from before/);
    expect(stdout).toMatch(/relaxed +2 say/);
  });

  it('exits with 4 and says what is broken, and by how much', async () => {
    const database = new DatabaseSync(join(vault, 'catalog.sqlite'));
    database.exec('update placement set relaxations = null where partition = 2');
    database.close();
    const { code, value } = await json('placement', 'check');
    expect(code).toBe(EXIT.damaged);
    expect(value).toMatchObject({
      error: { code: 'VERIFY_FAILED' },
      broken: [
        {
          number: 2,
          partition: samplePartitionId(2),
          violations: [{ rule: 'unrecorded-relaxation', softRule: 'continent', measured: 1, limit: 2 }],
        },
      ],
    });
    const ran = await run('placement', 'check');
    expect(ran.stdout).toContain('The shards lie on 1 continents; at least 2 are wanted.');
    expect(ran.stdout).toContain(`#2 ${samplePartitionId(2)}`);
    expect(ran.stderr).toContain('[VERIFY_FAILED]');
  });
});

describe('placement show', () => {
  it('shows holders, roles, past holders, policy and relaxations, by number and by id', async () => {
    const byNumber = await json('placement', 'show', '#3');
    expect(byNumber.value).toEqual((await json('placement', 'show', samplePartitionId(3))).value);
    const since = '2023-11-14T22:13:20.000Z';
    expect(byNumber.value).toMatchObject({
      partition: samplePartitionId(3),
      number: 3,
      state: 'journalled',
      shards: [
        { index: 0, role: 'primary', name: 'peer-0', since },
        { index: 1, role: 'primary', name: 'peer-1', since },
        { index: 2, role: 'parity', name: 'peer-3', since },
      ],
      pastHolders: [{ index: 2, name: 'peer-4', since }],
      record: {
        placedAt: since,
        policy: { version: 3, mode: 'deterministic', settings: { maxPerRegion: 3 } },
        relaxations: [{ rule: 'continent', reason: 'too little of continent' }],
        moves: [{ index: 2, view: 1 }],
      },
      violations: [],
    });
    const { stdout } = await run('placement', 'show', '3');
    expect(stdout).toMatch(/2 +parity +peer-3 .* peer-4/);
    expect(stdout).toMatch(/relaxed +continent: too little of continent/);
    expect((await run('placement', 'show', '4')).stdout).toMatch(/policy +not recorded/);
  });

  it('says what it does not find', async () => {
    for (const [wanted, error] of [
      ['99', 'NOT_FOUND'],
      [samplePartitionId(99), 'NOT_FOUND'],
      ['latest', 'USAGE'],
    ] as const) {
      const { code, value } = await json('placement', 'show', wanted);
      expect([code, value]).toMatchObject([EXIT.usage, { error: { code: error } }]);
    }
  });
});

describe('placement peers', () => {
  it('holds each peer against every rule', async () => {
    const ran = await run('placement', 'peers', '--json');
    const peers = JSON.parse(ran.stdout) as { name: string; eligible: boolean; checks: object[] }[];
    expect([ran.code, peers.length]).toEqual([EXIT.ok, 5]);
    for (const { eligible, checks } of peers) {
      expect(eligible).toBe(false);
      expect(checks).toContainEqual(expect.objectContaining({ check: 'membership', passed: true }));
      expect(checks).toContainEqual(expect.objectContaining({ check: 'region', severity: 'soft' }));
    }
    expect((await run('placement', 'peers')).stdout).toMatch(/peer-0 +not eligible +operator-0 +eu\/de\/a/);
  });
});

describe('status', () => {
  it('says how many placements gave up which rules', async () => {
    const { value } = await json('status');
    const newest = (partition: string) => ({
      at: '2023-11-14T22:13:20.000Z',
      partition,
      reason: 'too little of continent',
    });
    expect(value.placement).toEqual({
      recorded: 3,
      unrecorded: 1,
      relaxedPlacements: 2,
      relaxed: { continent: 2 },
      newest: { continent: newest(samplePartitionId(3)) },
    });
    expect(value.warnings).toContainEqual(
      expect.stringMatching(
        /^2 of 4 partitions were placed with relaxed rules: continent \(2\)\. The newest, .*: too little of continent\.$/,
      ),
    );
  });
});

describe('the warning of relaxed rules', () => {
  it('quotes the newest', async () => {
    const catalog = await openCatalog(join(vault, 'catalog.sqlite'), {
      clock: { now: () => 1_800_000_000_000 },
    });
    const [old] = await catalog.placements([1]);
    const { policy, view } = old!.record!;
    const relaxations = [{ rule: 'region', reason: 'newer' }];
    await catalog.journalPartition(sampleJournal(7), { policy, view, relaxations });
    await catalog.close();
    const { value } = await json('status');
    expect(value.warnings).toContainEqual(
      expect.stringMatching(/continent \(2\), region \(1\)\..*: newer\.$/),
    );
  });
});

describe('probes', () => {
  const catalog = new MemoryCatalog({ clock: { now: () => 5_000_000 } });
  const probe = (n: number, roundTrip: number | null, state: 'active' | 'left' = 'active'): Probe => ({
    peer: samplePeer(n, { state }),
    status: roundTrip === null ? null : ({} as NonNullable<Probe['status']>),
    roundTrip,
    failure: null,
  });

  it('are kept, unless another command writes or nobody answered', async () => {
    const swarm = { directory: vault, catalog };
    const lock = lockVault(vault);
    expect(await recordProbes(swarm, [probe(1, 5)], 4_000_000)).toBeNull();
    lock.release();
    expect(await recordProbes(swarm, [probe(1, null), probe(2, null)], 4_000_000)).toBeNull();
    expect(await catalog.peerProbes(0)).toEqual([]);
    const answers = [probe(1, 5), probe(2, null), probe(3, null, 'left')];
    expect(await recordProbes(swarm, answers, 4_000_000)).toBeNull();
    const found = (await catalog.peerProbes(0)).map(({ peer, asked, answered }) => [peer, asked, answered]);
    expect(found).toEqual(
      [
        [samplePeerId(1), 1, 1],
        [samplePeerId(2), 1, 0],
      ].sort(),
    );
    lockVault(vault).release();
  });

  it('that cannot be kept are told of, and fail nothing', async () => {
    const full = new MemoryCatalog();
    full.recordProbes = async () => {
      throw new HoldfastError('DISK_FULL', 'No space.');
    };
    const trouble = await recordProbes({ directory: vault, catalog: full }, [probe(1, 5)], 1);
    expect(trouble?.code).toBe('DISK_FULL');
    lockVault(vault).release();
  });

  it('show as uptimes among the peers', async () => {
    const before = JSON.parse((await run('peers', '--json')).stdout) as { uptime: object | null }[];
    expect(before.map(({ uptime }) => uptime)).toEqual([null, null, null, null, null]);
    const stored = await openCatalog(join(vault, 'catalog.sqlite'));
    await stored.recordProbes([{ peer: samplePeerId(2), at: Date.now(), roundTripMs: 3 }]);
    await stored.close();
    const after = JSON.parse((await run('peers', '--json')).stdout) as {
      name: string;
      uptime: object | null;
    }[];
    expect(after.filter(({ uptime }) => uptime !== null)).toMatchObject([
      { name: 'peer-2', uptime: { hours: 1, asked: 1, answered: 1, bestTripMs: 3 } },
    ]);
    expect((await run('peers')).stdout).toMatch(/95\.1 % \(1 h\)/);
  });
});
