import type { PeerId, PeerView, Stripe } from '@holdfast/contracts';
import { systemRandom } from '@holdfast/crypto';
import { samplePartitionId, sampleStripe } from '@holdfast/testing/catalog-samples';
import { MemoryCatalog } from '@holdfast/testing/memory-catalog';
import { describe, expect, it } from 'vitest';
import { currentPlacement } from '../src/placement-policy.ts';
import { type PlacementContext, StripePlacement } from '../src/shards/stripe-placement.ts';
import { StorageManager } from '../src/storage/storage-manager.ts';
import { POLICY, type TestVault, wallClock } from './test-vault.ts';
import { newVault } from './vaults.ts';

/** What is told to the verifier, where it differs from what the assigner sees. */
class OtherFacts extends StorageManager {
  lie: ((fact: PeerView) => PeerView) | null = null;

  override facts(): ReadonlyMap<PeerId, PeerView> {
    const facts = super.facts();
    return this.lie ? new Map([...facts].map(([id, fact]) => [id, this.lie!(fact)])) : facts;
  }
}

const SHAPE = { k: POLICY.k, m: POLICY.m, sizeClass: sampleStripe(1).sizeClass };

async function context(vault: TestVault): Promise<PlacementContext & { storage: OtherFacts }> {
  const { catalog, transport } = vault;
  const storage = new OtherFacts({ catalog, transport, clock: wallClock });
  await storage.refresh(new AbortController().signal);
  const policy = currentPlacement(POLICY);
  const salt = new Uint8Array(32);
  return { storage, policy, mode: 'deterministic', salt, random: systemRandom, now: 1 };
}

const oneOperator = (fact: PeerView): PeerView => ({ ...fact, operator: 'everybody' });
const oneRegion = (fact: PeerView): PeerView => ({ ...fact, region: 'eu/de/berlin' });

describe('the placement of a stripe', () => {
  it.each([
    ['hard', oneOperator],
    ['soft', oneRegion],
  ])('that the verifier finds to break a %s rule is not made', async (_, lie) => {
    const made = await context(await newVault());
    made.storage.lie = lie;
    expect(() => StripePlacement.assign(made, samplePartitionId(1), SHAPE)).toThrow(
      expect.objectContaining({ code: 'PLACEMENT_REFUSED' }),
    );
    const room = made.storage.candidates().map(({ freeBytes }) => freeBytes);
    expect(new Set(room).size).toBe(1);
  });

  it('stays as it was when the verifier finds that a move would break a rule', async () => {
    const made = await context(await newVault());
    const placement = StripePlacement.assign(made, samplePartitionId(1), SHAPE);
    const peers = [0, 1, 2, 3, 4].map((index) => placement.peer(index));
    made.storage.lie = (fact) => ({ ...fact, operator: 'everybody' });
    expect(() => placement.move(2, new Set([peers[2]!]))).toThrow(
      expect.objectContaining({ code: 'PLACEMENT_REFUSED' }),
    );
    expect([0, 1, 2, 3, 4].map((index) => placement.peer(index))).toEqual(peers);
    made.storage.lie = null;
    const { peer } = placement.move(2, new Set([peers[2]!]));
    expect(peers).not.toContain(peer);
    expect(placement.peer(2)).toBe(peer);
  });

  it('is drawn anew each time in random mode, and derived in the other', async () => {
    const vault = await newVault({ peers: 40 });
    const orders = (mode: 'random' | 'deterministic') =>
      Promise.all(
        Array.from({ length: 5 }, async () => {
          const made = { ...(await context(vault)), mode };
          const placement = StripePlacement.assign(made, samplePartitionId(1), SHAPE);
          return [0, 1, 2, 3, 4].map((index) => placement.peer(index)).join();
        }),
      );
    // Five equal draws of 5 out of 40 in random mode: less likely than 10^-30.
    expect(new Set(await orders('random')).size).toBeGreaterThan(1);
    expect(new Set(await orders('deterministic')).size).toBe(1);
  });

  it('that was made under other soft rules goes on under these', async () => {
    const vault = await newVault();
    for (const peer of await vault.catalog.peers()) {
      await vault.catalog.putPeer({ ...peer, region: 'eu/de/berlin' });
    }
    const made = await context(vault);
    const lenient = { ...made.policy.settings, maxPerRegion: 9, minContinents: 1 };
    const first = StripePlacement.assign(
      { ...made, policy: { ...made.policy, settings: lenient } },
      samplePartitionId(1),
      SHAPE,
    );
    expect((await first.note()).relaxations).toEqual([]);
    const peers = [0, 1, 2, 3, 4].map((index) => first.peer(index));
    const stripe: Stripe = { ...sampleStripe(1, { ...SHAPE, peers }) };
    const rules = { ...lenient, ...SHAPE, copies: 1, shardBytes: SHAPE.sizeClass };
    const earlier = { facts: made.storage.facts(), rules, relaxations: [] };
    const history = peers.map((peer, index) => ({ peer, index }));
    const resumed = StripePlacement.resume(made, stripe, history, earlier);
    expect((await resumed.move(0, new Set([peers[0]!])).note()).relaxations).toEqual([]);
    const today = StripePlacement.resume(made, stripe, history, null);
    const { relaxations } = await today.move(0, new Set([peers[0]!])).note();
    expect(relaxations.map(({ rule }) => rule)).toEqual(['region', 'continent']);
    const strict = { ...made, policy: { ...made.policy, settings: { ...lenient, minDistinctPeers: 6 } } };
    expect(() => StripePlacement.resume(strict, stripe, history, earlier)).toThrow(
      expect.objectContaining({ code: 'PLACEMENT_REFUSED' }),
    );
  });

  it('notes the view it was made by, also when facts have changed before it is written down', async () => {
    const vault = await newVault();
    const made = await context(vault);
    const before = made.storage.view();
    const placement = StripePlacement.assign(made, samplePartitionId(1), SHAPE);
    const [away] = vault.peers;
    vault.transport.faults(away!).down = true;
    await made.storage.refresh(new AbortController().signal);
    expect(made.storage.view()).not.toBe(before);
    const note = await placement.note();
    const view = await vault.catalog.swarmView(note.view);
    expect(view?.find(({ id }) => id === away)).toEqual(before.find(({ id }) => id === away));
    const move = placement.move(0, new Set([placement.peer(0)]));
    const later = await vault.catalog.swarmView((await move.note()).view);
    expect(later?.find(({ id }) => id === away)?.freeBytes).toBeUndefined();
  });

  it('that was made by facts of then is moved by these, and not by those of today', async () => {
    const vault = await newVault();
    const made = await context(vault);
    const first = StripePlacement.assign(made, samplePartitionId(1), SHAPE);
    const peers = [0, 1, 2, 3, 4].map((index) => first.peer(index));
    const history = peers.map((peer, index) => ({ peer, index }));
    const stripe: Stripe = { ...sampleStripe(1, { ...SHAPE, peers }) };
    const slow = new Map([...made.storage.facts()].map(([id, fact]) => [id, { ...fact, latencyMs: 130 }]));
    const rules = { ...made.policy.settings, ...SHAPE, copies: 1, shardBytes: SHAPE.sizeClass };
    const earlier = { facts: slow, rules, relaxations: [{ rule: 'latency' as const, reason: 'slow' }] };
    const resumed = StripePlacement.resume(made, stripe, history, earlier);
    const move = await resumed.move(1, new Set([peers[1]!])).note();
    expect(move.relaxations.map(({ rule }) => rule)).toEqual(['latency']);
    const unrecorded = StripePlacement.resume(made, stripe, history, null);
    expect((await unrecorded.move(1, new Set([peers[1]!])).note()).relaxations).toEqual([]);
  });
});

describe('views of the swarm', () => {
  it('are the same list until a fact other than free room changes, and written once', async () => {
    const vault = await newVault();
    const { storage } = await context(vault);
    const view = storage.view();
    storage.reserve(vault.peers[0]!, 1000);
    expect(storage.view()).toBe(view);
    let written = 0;
    const record = MemoryCatalog.prototype.recordSwarmView;
    vault.catalog.recordSwarmView = (...args) => {
      written++;
      return record.apply(vault.catalog, args);
    };
    expect(await storage.record(view)).toBe(await storage.record(view));
    expect(written).toBe(1);
    vault.transport.faults(vault.peers[0]!).down = true;
    await storage.refresh(new AbortController().signal);
    expect(storage.view()).not.toBe(view);
    expect(storage.availability()).toEqual({ members: 8, answering: 7 });
  });

  it('know best round trips of requests that take no handshake with them', async () => {
    const vault = await newVault({ peers: 2 });
    let now = 0;
    // The first answer of each peer takes 500 ms, those after it 30, 20, 20 …
    const asked = new Map<PeerId, number>();
    const status: TestVault['transport']['status'] = async (peer, options) => {
      const times = asked.get(peer) ?? 0;
      asked.set(peer, times + 1);
      const answer = await vault.transport.status(peer, options);
      now += [500, 30][times] ?? 20.000_4;
      return answer;
    };
    const clock = { ...wallClock, monotonic: () => now };
    const storage = new StorageManager({
      catalog: vault.catalog,
      transport: { ...vault.transport, status },
      clock,
    });
    await storage.refresh(new AbortController().signal);
    for (const { latencyMs } of storage.candidates()) {
      expect(latencyMs).toBeGreaterThanOrEqual(20);
      expect(latencyMs).toBeLessThan(61);
      expect(latencyMs! * 1000).toBeCloseTo(Math.round(latencyMs! * 1000), 6);
    }
    expect([...asked.values()]).toEqual([4, 4]);
  });

  it('take a peer with impossible figures for one that failed', async () => {
    const vault = await newVault();
    const [odd] = vault.peers;
    const status: TestVault['transport']['status'] = async (peer, options) => {
      const answer = await vault.transport.status(peer, options);
      return peer === odd ? { ...answer, capacityBytes: -1 } : answer;
    };
    const transport = { ...vault.transport, status };
    const events: object[] = [];
    const storage = new StorageManager({
      catalog: vault.catalog,
      transport,
      clock: wallClock,
      onEvent: (event) => events.push(event),
    });
    await storage.refresh(new AbortController().signal);
    expect(storage.candidates().map(({ id }) => id)).not.toContain(odd);
    expect(events).toEqual([expect.objectContaining({ type: 'peer-failed', code: 'PEER_PROTOCOL' })]);
  });
});
