import {
  HoldfastError,
  type PeerId,
  type PeerView,
  type ShardTransport,
  type StoredPlacement,
} from '@holdfast/contracts';
import { describe, expect, it } from 'vitest';
import { auditPlacements } from '../src/index.ts';
import { backUp, randomFile, rejection } from './content.ts';
import { POLICY, type TestVault } from './test-vault.ts';
import { newVault } from './vaults.ts';

const OBJECTS = [randomFile('a', 100_000)];

/** The catalog, with what it says of placements changed on the way out. */
function altered(
  vault: TestVault,
  change: {
    placement?: (placement: StoredPlacement) => StoredPlacement;
    fact?: (fact: PeerView) => PeerView;
  },
): TestVault['catalog'] {
  const { catalog } = vault;
  return new Proxy(catalog, {
    get(target, name: keyof TestVault['catalog']) {
      if (name === 'placements' && change.placement) {
        return async (numbers: number[]) =>
          (await target.placements(numbers)).map((placement) => placement && change.placement!(placement));
      }
      if (name === 'swarmView' && change.fact) {
        return async (view: number) => (await target.swarmView(view))?.map(change.fact!) ?? null;
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const record = (placement: StoredPlacement, changes: Partial<NonNullable<StoredPlacement['record']>>) => ({
  ...placement,
  record: { ...placement.record!, ...changes },
});

async function oneRegion(): Promise<TestVault> {
  const vault = await newVault();
  for (const peer of await vault.catalog.peers()) {
    await vault.catalog.putPeer({ ...peer, region: 'eu/de/berlin' });
  }
  await backUp(vault.engine, OBJECTS);
  return vault;
}

async function brokenRules(vault: TestVault, change: Parameters<typeof altered>[1]): Promise<string[]> {
  const { broken } = await auditPlacements(altered(vault, change));
  return [...new Set(broken.flatMap(({ violations }) => violations.map(({ rule }) => rule)))].sort();
}

describe('an audit of all placements', () => {
  it('finds nothing wrong with what was recorded, relaxed or not', async () => {
    const vault = await oneRegion();
    const { partitions } = await vault.catalog.totals();
    const seen: [number, number][] = [];
    const audit = await auditPlacements(vault.catalog, { onProgress: (...at) => seen.push(at) });
    expect(audit).toMatchObject({ placements: partitions, unrecorded: 0, relaxed: partitions, broken: [] });
    expect([...audit.unchecked.keys()].sort()).toEqual([
      'certificate',
      'packet-loss',
      'reputation',
      'reputation-floor',
    ]);
    expect(seen.at(-1)).toEqual([partitions, partitions]);
  });

  it('finds nothing wrong either after shards have moved, and after an interruption', async () => {
    const regions = ['eu/de/a', 'eu/de/b', 'eu/fr/a', 'na/us/a', 'na/us/b'];
    for (const failing of [1, 2, 3]) {
      const vault = await newVault({ peers: 9, operators: 5 });
      for (const [i, peer] of (await vault.catalog.peers()).entries()) {
        await vault.catalog.putPeer({ ...peer, region: regions[(i * failing) % regions.length]! });
      }
      let calls = 0;
      const put: ShardTransport['put'] = async (peer, shard, options) => {
        const broken = vault.peers.slice(0, failing).includes(peer);
        if (broken || ++calls === 9) throw new HoldfastError('PEER_FAILED', 'Its disk is broken.');
        return vault.transport.put(peer, shard, options);
      };
      const engine = await vault.reopen({ transport: { ...vault.transport, put } });
      await backUp(engine, [...OBJECTS, randomFile('b', 4_000_000)]);
      const audit = await auditPlacements(vault.catalog);
      expect(audit.broken).toEqual([]);
      expect(audit.unrecorded).toBe(0);
    }
  });

  it('judges what was interrupted and went on under other rules by the rules of its beginning', async () => {
    const vault = await newVault({ peers: 7, operators: 7 });
    for (const peer of vault.peers) vault.transport.faults(peer).failAfter = 6;
    const clock = { ...vault.context.clock, sleep: (_: number) => vault.context.clock.sleep(0) };
    await rejection(backUp(await vault.reopen({ clock }), OBJECTS));
    expect((await vault.catalog.journalledPartitions()).length).toBeGreaterThan(0);
    expect((await auditPlacements(vault.catalog)).broken).toEqual([]);
    for (const peer of vault.peers) vault.transport.faults(peer).failAfter = Infinity;
    const [away] = (await vault.catalog.journalledPartitions())[0]!.stripe.shards;
    const put: ShardTransport['put'] = async (peer, shard, options) => {
      if (peer === away!.peer) throw new HoldfastError('PEER_FAILED', 'Its disk is broken.');
      return vault.transport.put(peer, shard, options);
    };
    const { currentPlacement } = await import('../src/placement-policy.ts');
    const current = currentPlacement(POLICY);
    const strict = { ...current, settings: { ...current.settings, maxPerRegion: 1, minContinents: 3 } };
    const policy = { ...POLICY, placement: { current: strict } };
    await backUp(await vault.reopen({ transport: { ...vault.transport, put }, policy }), OBJECTS);
    const audit = await auditPlacements(vault.catalog);
    expect(audit.broken).toEqual([]);
    expect(audit.placements).toBeGreaterThan(1);
  });

  it('notices a relaxation that is not recorded', async () => {
    const vault = await oneRegion();
    expect(
      await brokenRules(vault, { placement: (placement) => record(placement, { relaxations: [] }) }),
    ).toEqual(['unrecorded-relaxation']);
  });

  it('notices whatever else the record does not bear out', async () => {
    const vault = await newVault();
    await backUp(vault.engine, OBJECTS);
    const facts = (change: Partial<PeerView>) =>
      brokenRules(vault, { fact: (fact) => ({ ...fact, ...change }) });
    expect(await facts({})).toEqual([]);
    expect(await facts({ operator: 'everybody' })).toEqual(['operator-limit']);
    expect(await facts({ failureDomains: ['one'] })).toEqual(['failure-domain-limit']);
    expect(await facts({ region: 'eu/de/berlin' })).toEqual(['unrecorded-relaxation']);
    expect(await facts({ latencyMs: 100.1 })).toEqual(['unrecorded-relaxation']);
    expect(await facts({ reputation: 0.4 })).toEqual(['reputation-floor', 'unrecorded-relaxation']);
    expect(await facts({ freeBytes: 1 })).toEqual(['room', 'unrecorded-relaxation']);
    expect(await facts({ member: false })).toEqual(['membership']);
    const gone = await brokenRules(vault, {
      placement: (placement) => ({ ...placement, holdings: placement.holdings.slice(1) }),
    });
    expect(gone).toEqual(['unplaced']);
    const twice = await brokenRules(vault, {
      placement: (placement) => {
        const [first, second] = placement.holdings;
        return {
          ...placement,
          holdings: [...placement.holdings, { ...first!, index: second!.index, past: true }],
        };
      },
    });
    expect(twice).toEqual(['one-shard-per-peer']);
    const settings = await brokenRules(vault, {
      placement: (placement) => {
        const { policy } = placement.record!;
        return record(placement, {
          policy: { ...policy, settings: { ...policy.settings, minContinents: 4 } },
        });
      },
    });
    expect(settings).toEqual(['unrecorded-relaxation']);
  });

  it('takes the facts of the move for a shard that moved', async () => {
    const vault = await newVault();
    await backUp(vault.engine, OBJECTS);
    const [number] = [...vault.catalog.partitionsEver.values()].map((stripe) => stripe.number);
    const [placement] = await vault.catalog.placements([number!]);
    const holder = placement!.holdings[0]!.peer;
    const view = await vault.catalog.swarmView(placement!.record!.view);
    const slow = view!.map((fact) => (fact.id === holder ? { ...fact, latencyMs: 10_000 } : fact));
    const later = await vault.catalog.recordSwarmView(slow);
    const moved = (index: number) =>
      brokenRules(vault, {
        placement: (one) =>
          record(one, one.stripe.number === number ? { moves: [{ index, view: later }] } : {}),
      });
    expect(await moved(0)).toEqual(['unrecorded-relaxation']);
    expect(await moved(1)).toEqual([]);
  });

  it('checks what has no record by what every version promised', async () => {
    const vault = await newVault({ peers: 8 });
    await backUp(vault.engine, OBJECTS);
    const placement = (one: StoredPlacement) => ({ ...one, record: null });
    const audit = await auditPlacements(altered(vault, { placement }));
    expect(audit).toMatchObject({ unrecorded: audit.placements, relaxed: 0, broken: [] });
    const operators = new Map<PeerId, string>();
    for (const peer of await vault.catalog.peers()) {
      operators.set(peer.id, peer.operator);
      await vault.catalog.putPeer({ ...peer, operator: 'everybody' });
    }
    expect(await brokenRules(vault, { placement })).toEqual(['operator-limit']);
  });

  it('stops when it is told to', async () => {
    const vault = await oneRegion();
    const signal = AbortSignal.abort();
    expect(await rejection(auditPlacements(vault.catalog, { signal }))).toMatchObject({ code: 'CANCELLED' });
  });
});
