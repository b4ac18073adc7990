import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROBE_HOUR_MS, type ShardStore } from '@holdfast/contracts';
import { planSla, slaLevel } from '@holdfast/placement/sla';
import { samplePeer, samplePeerId } from '@holdfast/testing/catalog-samples';
import { MemoryCatalog } from '@holdfast/testing/memory-catalog';
import { MemoryShardStore } from '@holdfast/testing/memory-shard-store';
import { memoryTransport } from '@holdfast/testing/memory-transport';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadConfig } from '../src/config/load.ts';
import { plannedPeers } from '../src/vault/planned-peers.ts';
import { plannedSettings, settingLines } from '../src/vault/planned-settings.ts';
import { PRIOR_HOURS, PRIOR_UPTIME } from '../src/vault/uptime.ts';

const NOW = 1000 * PROBE_HOUR_MS;
let vault: string;
beforeEach(async () => {
  vault = await mkdtemp(join(tmpdir(), 'holdfast-planned-'));
});
afterEach(() => rm(vault, { recursive: true }));

/** Peers 0, 1, … of which the last does not answer. */
async function swarmOf(count: number, config: string) {
  await writeFile(join(vault, 'holdfast.yaml'), `version: 1\n${config}`);
  const catalog = new MemoryCatalog({ clock: { now: () => NOW } });
  const stores = new Map<ReturnType<typeof samplePeerId>, ShardStore>();
  for (let n = 0; n < count; n++) {
    await catalog.putPeer(samplePeer(n, { name: `peer-${n}`, state: 'active' }));
    stores.set(samplePeerId(n), new MemoryShardStore());
  }
  const transport = memoryTransport(stores, samplePeerId(99));
  transport.faults(samplePeerId(count - 1)).down = true;
  const rest = {
    directory: vault,
    owner: samplePeerId(99),
    peerNames: () => Promise.reject(new Error('unused')),
  };
  const nothing = async () => {};
  return { ...rest, catalog, transport, config: await loadConfig(vault), [Symbol.asyncDispose]: nothing };
}

it('are those that answer, with uptimes once they were watched for long enough', async () => {
  const swarm = await swarmOf(4, '');
  const watched = async (n: number, hours: number) => {
    const probes = Array.from({ length: hours }, (_, hour) => ({
      peer: samplePeerId(n),
      at: NOW - (hour + 1) * PROBE_HOUR_MS,
      roundTripMs: hour % 2 === 0 ? 10 : null,
    }));
    await swarm.catalog.recordProbes(probes);
  };
  // With this very hour, in which the peer is asked once more, just long enough.
  await watched(0, PRIOR_HOURS - 1);
  await watched(1, PRIOR_HOURS - 10);
  const { candidates, leftOut, names } = await plannedPeers(swarm, AbortSignal.timeout(5000), NOW);
  expect(candidates.map((peer) => names.of(peer.id))).toEqual(['peer-0', 'peer-1', 'peer-2']);
  const [first, ...others] = candidates.map((peer) => peer.uptime);
  expect(first).toBeGreaterThan(0.5);
  expect(first).toBeLessThan((0.6 + PRIOR_UPTIME) / 2);
  expect(others).toEqual([undefined, undefined]);
  expect(leftOut.map(({ peer }) => peer.name)).toEqual(['peer-3']);
  for (const { latencyMs } of candidates) expect(latencyMs).toBeGreaterThan(0);
});

it('come with failure domains and the rules that are configured', async () => {
  const placement = 'placement: {maxPerRegion: 2, maxLoad: 60%, failureDomains: {cellar: [peer-0, peer-2]}}';
  const { candidates, rules } = await plannedPeers(
    await swarmOf(4, placement),
    AbortSignal.timeout(5000),
    NOW,
  );
  expect(candidates.map((peer) => peer.failureDomains)).toEqual([['cellar'], [], ['cellar']]);
  expect(rules).toMatchObject({ maxPerRegion: 2, maxLoad: 0.6 });
  expect(Object.keys(rules)).not.toContain('maxPerOperator');
  expect(Object.keys(rules)).not.toContain('maxPerFailureDomain');
  const limited = await swarmOf(4, 'placement: {maxPerFailureDomain: 1}');
  expect((await plannedPeers(limited, AbortSignal.timeout(5000), NOW)).rules.maxPerFailureDomain).toBe(1);
});

it('lead to settings where the plan rests on others than are configured', () => {
  const candidates = Array.from({ length: 12 }, (_, n) => ({
    id: samplePeerId(n),
    operator: `o${n}`,
    region: `c${n % 3}/r${n % 6}/x`,
    freeBytes: 2 ** 40,
    capacityBytes: 2 ** 40,
    uptime: 0.99,
  }));
  const plan = planSla({ level: slaLevel('platinum'), candidates, settings: { minK: 4, maxK: 4 } });
  const policy = { k: 4, m: 8, maxPerOperator: 3 };
  expect(plan).toMatchObject({
    met: true,
    rules: { ...policy, maxPerRegion: 3, minContinents: 3, maxPerFailureDomain: 3 },
  });
  const of = (configured: Parameters<typeof plannedSettings>[1], hasDomains = false) =>
    plannedSettings(plan, configured, hasDomains)?.placement;
  expect(of({ maxPerRegion: 3, minContinents: 3 })).toEqual({});
  expect(of({ maxPerRegion: 3, minContinents: 2 })).toEqual({ minContinents: 3 });
  expect(of({ maxPerRegion: 4, minContinents: 3, maxPerFailureDomain: 5 })).toEqual({
    maxPerRegion: 3,
    maxPerFailureDomain: 3,
  });
  const fewer = { ...plan, rules: { ...plan.rules, maxPerFailureDomain: 2 } };
  const configured = { maxPerRegion: 3, minContinents: 3 };
  expect(plannedSettings(fewer, configured, false)?.placement).toEqual({});
  expect(plannedSettings(fewer, configured, true)?.placement).toEqual({ maxPerFailureDomain: 2 });
  expect(settingLines({ policy, placement: {} })).toEqual([
    'policy:',
    '  k: 4',
    '  m: 8',
    '  maxPerOperator: 3',
  ]);
  expect(settingLines({ policy, placement: { minContinents: 3 } }).slice(4)).toEqual([
    'placement:',
    '  minContinents: 3',
  ]);
});
