import {
  HoldfastError,
  type PeerId,
  PROBE_HOUR_MS,
  type Random,
  type ShardTransport,
  type SnapshotRecord,
  type StoredPlacement,
} from '@holdfast/contracts';
import { systemRandom } from '@holdfast/crypto';
import { defaultMode, defaultSettings } from '@holdfast/placement';
import { MemoryCatalog } from '@holdfast/testing/memory-catalog';
import { MemoryShardStore } from '@holdfast/testing/memory-shard-store';
import { memoryTransport } from '@holdfast/testing/memory-transport';
import { describe, expect, it } from 'vitest';
import type { EngineEvent, PlacementPolicy, Policy } from '../src/index.ts';
import { ReadSession } from '../src/restore/read-session.ts';
import { backUp, expectRestores, randomFile, rejection } from './content.ts';
import { separationViolations } from './separation.ts';
import { POLICY, type TestVault } from './test-vault.ts';
import { newVault } from './vaults.ts';

const OBJECTS = [randomFile('a', 100_000)];

const rules = (
  changes: Partial<PlacementPolicy['settings']> = {},
  rest: Partial<PlacementPolicy> = {},
): PlacementPolicy => ({
  version: POLICY.version,
  settings: { ...defaultSettings(POLICY.k), maxPerOperator: POLICY.maxPerOperator, ...changes },
  mode: defaultMode,
  saltEpoch: 0,
  ...rest,
});

const under = (
  current: PlacementPolicy,
  rest: Omit<NonNullable<Policy['placement']>, 'current'> = {},
): Policy => ({ ...POLICY, placement: { current, ...rest } });

async function allPlacements(vault: TestVault): Promise<StoredPlacement[]> {
  const { partitions } = await vault.catalog.totals();
  const numbers = Array.from({ length: 10_000 }, (_, i) => i);
  const found = (await vault.catalog.placements(numbers)).filter((placement) => placement !== null);
  expect(found.filter(({ complete }) => complete)).toHaveLength(partitions);
  return found;
}

async function inOneRegion(vault: TestVault): Promise<void> {
  for (const peer of await vault.catalog.peers()) {
    await vault.catalog.putPeer({ ...peer, region: 'eu/de/berlin' });
  }
}

const relaxedRules = ({ record }: StoredPlacement): string[] => record!.relaxations.map(({ rule }) => rule);

describe('a placement', () => {
  it('is recorded with its policy, its mode and the facts it was made by', async () => {
    const vault = await newVault({
      policy: under(rules({ maxPacketLoss: 0.04 }, { version: 1, saltEpoch: 3 })),
    });
    await backUp(vault.engine, OBJECTS);
    const placements = await allPlacements(vault);
    expect(placements.length).toBeGreaterThan(1);
    for (const { record, holdings } of placements) {
      expect(record?.policy).toEqual({
        version: 1,
        mode: 'deterministic',
        settings: { ...rules({ maxPacketLoss: 0.04 }).settings, saltEpoch: 3 },
      });
      expect(record?.moves).toEqual([]);
      const view = await vault.catalog.swarmView(record!.view);
      expect(new Set(view?.map(({ id }) => id))).toEqual(new Set(vault.peers));
      for (const { peer } of holdings) {
        const facts = view!.find(({ id }) => id === peer)!;
        expect(facts).toMatchObject({ failureDomains: [], member: true, capacityBytes: 1024 ** 3 });
        expect(facts.latencyMs).toBeGreaterThanOrEqual(0);
      }
    }
    expect(new Set(placements.map(({ record }) => record!.view)).size).toBe(1);
    expect(await vault.catalog.placementTotals()).toMatchObject({ unrecorded: 0, relaxed: 0 });
  });

  it('says which soft rules it does not keep, and what is switched off is no rule', async () => {
    const vault = await newVault();
    await inOneRegion(vault);
    const events: EngineEvent[] = [];
    await backUp(vault.engine, OBJECTS, { onEvent: (event) => events.push(event) });
    const placements = await allPlacements(vault);
    for (const placement of placements) expect(relaxedRules(placement)).toEqual(['region', 'continent']);
    const told = events.filter(({ type }) => type === 'placement-relaxed');
    expect(told).toHaveLength(2 * placements.length);
    const totals = await vault.catalog.placementTotals();
    expect(totals).toMatchObject({ recorded: placements.length, relaxed: placements.length });
    expect([...totals.rules.keys()].sort()).toEqual(['continent', 'region']);

    const off = await vault.reopen({ policy: under(rules({ off: ['continent', 'region'] })) });
    await backUp(off, [...OBJECTS, randomFile('b', 50_000)]);
    expect((await vault.catalog.placementTotals()).relaxed).toBe(placements.length);
  });

  it('whose shard moves adds what that relaxed, and the facts of the move', async () => {
    const vault = await newVault({ peers: 7, operators: 7 });
    // Every continent but Europe has one peer, which fails when the shard comes: the rest lies in Europe alone.
    for (const [i, peer] of (await vault.catalog.peers()).entries()) {
      await vault.catalog.putPeer({ ...peer, region: i === 0 ? 'na/us/nyc' : `eu/c${i}/a` });
    }
    const [abroad] = (await vault.catalog.peers()).filter(({ region }) => region.startsWith('na'));
    const put: ShardTransport['put'] = async (peer, shard, options) => {
      if (peer === abroad!.id) throw new HoldfastError('PEER_FAILED', 'Its disk is broken.');
      return vault.transport.put(peer, shard, options);
    };
    await backUp(await vault.reopen({ transport: { ...vault.transport, put } }), OBJECTS);
    const placements = await allPlacements(vault);
    const moved = placements.filter(({ record }) => record!.moves.length > 0);
    expect(moved.length).toBeGreaterThan(0);
    for (const placement of moved) {
      expect(relaxedRules(placement)).toEqual(['continent']);
      const [{ index, view }] = placement.record!.moves as [{ index: number; view: number }];
      const past = placement.holdings.filter((holding) => holding.past);
      expect(past).toEqual([expect.objectContaining({ index, peer: abroad!.id })]);
      expect((await vault.catalog.swarmView(view))?.length).toBe(7);
    }
    expect(await separationViolations(vault)).toEqual([]);
  });

  it('keeps to k − 1 shards in any failure domain', async () => {
    const vault = await newVault({ peers: 8 });
    const domains = (peer: PeerId): string[] => [vault.peers.indexOf(peer) % 2 === 0 ? 'net-a' : 'net-b'];
    const failureDomains = new Map(vault.peers.map((peer) => [peer, domains(peer)]));
    const policy = { ...under(rules({ maxPerFailureDomain: 2 }), { failureDomains }), m: 1 };
    await backUp(await vault.reopen({ policy }), OBJECTS);
    for (const { holdings, record } of await allPlacements(vault)) {
      const inA = holdings.filter(({ peer }) => failureDomains.get(peer)![0] === 'net-a').length;
      expect(inA).toBe(2);
      const view = await vault.catalog.swarmView(record!.view);
      for (const peer of view!) expect(peer.failureDomains).toEqual(failureDomains.get(peer.id));
    }
    const tight = { ...under(rules({ maxPerFailureDomain: 1 }), { failureDomains }), m: 1 };
    const refused = await rejection(backUp(await vault.reopen({ policy: tight }), [randomFile('b', 9)]));
    expect(refused.code).toBe('PLACEMENT_REFUSED');
  });

  it('is random while too few peers are there, and stays so between the two thresholds', async () => {
    const vault = await newVault({ peers: 10 });
    const modes = async (): Promise<string | undefined> => {
      await backUp(vault.engine, [randomFile('a', 1000)]);
      return (await vault.catalog.newestPlacement())?.policy.mode;
    };
    const down = (count: number): void => {
      for (const [i, peer] of vault.peers.entries()) vault.transport.faults(peer).down = i < count;
    };
    expect(await modes()).toBe('deterministic');
    down(2);
    expect(await modes()).toBe('deterministic');
    down(3);
    expect(await modes()).toBe('random');
    down(2);
    expect(await modes()).toBe('random');
    down(0);
    expect(await modes()).toBe('deterministic');
  });

  it('of another salt epoch goes to other peers', async () => {
    const vault = await newVault({ peers: 30 });
    const { context } = vault;
    /** Where the partitions of one and the same backup go, by a catalog and with peers that know of no other. */
    const places = async (saltEpoch: number, name: string): Promise<Map<string, PeerId[]>> => {
      const catalog = new MemoryCatalog();
      for (const peer of await vault.catalog.peers()) await catalog.putPeer(peer);
      const stores = new Map(vault.peers.map((id) => [id, new MemoryShardStore({ capacityBytes: 2 ** 30 })]));
      let next = 0;
      const uuid = (): string => `00000000-0000-4000-8000-${(++next).toString(16).padStart(12, '0')}`;
      const random: Random = { bytes: (n) => systemRandom.bytes(n), uniform: () => 0.5, uuid };
      const transport = memoryTransport(stores, context.owner);
      const policy = under(rules({}, { saltEpoch }));
      await backUp(await vault.reopen({ catalog, transport, random, policy }), OBJECTS, { name });
      const found = (await catalog.placements([1, 2, 3, 4, 5, 6])).filter((placement) => placement !== null);
      return new Map(found.map(({ stripe }) => [stripe.id, stripe.shards.map(({ peer }) => peer)]));
    };
    const [first, again, other] = [await places(0, 'a'), await places(0, 'b'), await places(1, 'c')];
    const common = [...first.keys()].filter((id) => again.has(id) && other.has(id));
    expect(common.length).toBeGreaterThan(0);
    for (const id of common) {
      expect(again.get(id)).toEqual(first.get(id));
      expect(other.get(id)).not.toEqual(first.get(id));
    }
  });
});

describe('a policy that is rolled out', () => {
  const previous = rules({ maxPerOperator: 1 }, { version: 8 });
  const current = rules({}, { version: 9 });
  const at = (percent: number): Policy => ({
    ...under(current, { rollout: { percent, previous } }),
    version: 9,
  });

  it.each([
    [0, 8, 1],
    [100, 9, 2],
  ])('at %d % uses version %d', async (percent, version, maxPerOperator) => {
    const vault = await newVault({ policy: at(percent) });
    const { snapshot } = await backUp(vault.engine, OBJECTS);
    for (const { record } of await allPlacements(vault)) {
      expect(record?.policy).toMatchObject({ version, settings: { maxPerOperator } });
    }
    await expectRestores(vault.engine, snapshot.id, OBJECTS);
    expect(await manifestVersion(vault, snapshot)).toBe(version);
  });
});

describe('contradictory rules', () => {
  it.each([
    under(rules({ maxPerOperator: 1 })),
    under(rules({ minDistinctPeers: 99 })),
    under(rules({}, { mode: { mode: 'hybrid', enterAbove: 0.5, leaveBelow: 0.6 } })),
    under(rules(), { rollout: { percent: 50, previous: rules({ reputationFloor: 0.9 }) } }),
  ])('are refused when the engine is made', async (policy) => {
    expect(await rejection(newVault({ policy }))).toMatchObject({ code: 'USAGE' });
  });
});

describe('probes', () => {
  it('of a run are recorded at its end', async () => {
    const vault = await newVault({ peers: 7 });
    const [away] = vault.peers;
    vault.transport.faults(away!).down = true;
    await backUp(vault.engine, OBJECTS);
    const windows = await vault.catalog.peerProbes(Date.now() - 2 * PROBE_HOUR_MS);
    expect(windows.map(({ peer }) => peer)).toEqual([...vault.peers].sort());
    for (const { peer, asked, answered } of windows) {
      expect([asked, answered]).toEqual(peer === away ? [1, 0] : [1, 1]);
    }
  });

  it('are not worth failing for when another process writes', async () => {
    const vault = await newVault();
    vault.catalog.recordProbes = async () => {
      throw new HoldfastError('BUSY', 'The catalog is locked.');
    };
    expect((await backUp(vault.engine, OBJECTS)).snapshot.complete).toBe(true);
    vault.catalog.recordProbes = async () => {
      throw new HoldfastError('DISK_FULL', 'No space.');
    };
    expect(await rejection(backUp(vault.engine, OBJECTS))).toMatchObject({ code: 'DISK_FULL' });
  });

  it('that nobody answers say nothing about peers', async () => {
    const vault = await newVault();
    for (const peer of vault.peers) vault.transport.faults(peer).down = true;
    await rejection(backUp(vault.engine, OBJECTS));
    expect(await vault.catalog.peerProbes(0)).toEqual([]);
  });
});

const manifestVersion = (vault: TestVault, snapshot: SnapshotRecord): Promise<number> =>
  ReadSession.complete(vault.context, {}, async (session) => {
    return (await session.open(snapshot)).manifest.policy.version;
  });
