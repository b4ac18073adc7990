import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/contracts';
import { defaultMode, defaultSettings } from '@holdfast/placement';
import { samplePeer, samplePeerId } from '@holdfast/testing/catalog-samples';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../src/config/load.ts';
import { enginePolicy } from '../src/vault/placement-policy.ts';

describe('the engine’s policy', () => {
  let vault: string;
  beforeEach(async () => {
    vault = await mkdtemp(join(tmpdir(), 'holdfast-policy-'));
  });
  afterEach(() => rm(vault, { recursive: true, force: true }));

  const policy = async (text: string, peers = [1, 2, 3].map((n) => samplePeer(n))) => {
    await writeFile(join(vault, 'holdfast.yaml'), `version: 1\n${text}`);
    return enginePolicy(vault, await loadConfig(vault), peers);
  };

  it('has the document’s figures by default', async () => {
    const { placement, ...rest } = await policy('policy: {version: 4, k: 5, m: 3}');
    expect(rest).toMatchObject({ version: 4, k: 5, m: 3, maxPerOperator: 3 });
    expect(placement).toEqual({
      current: {
        version: 4,
        saltEpoch: 0,
        mode: defaultMode,
        settings: { ...defaultSettings(5), maxPerOperator: 3 },
      },
      failureDomains: new Map(),
    });
  });

  it('has every setting that is written', async () => {
    const { placement } = await policy(`
placement:
  mode: random
  hybrid: {enterAbove: 60%, leaveBelow: 40%}
  saltEpoch: 9
  maxPerFailureDomain: 2
  minDistinctPeers: 4
  separationWindows: 7
  window: 90m
  separateSiblings: true
  maxLatency: 1s
  maxPacketLoss: 1%
  maxPerRegion: 5
  minContinents: 3
  maxLoad: 90%
  headroomShards: 8
  minReputation: 0.6
  reputationFloor: 0.2
  off: [latency, load]
`);
    expect(placement?.current).toEqual({
      version: 1,
      saltEpoch: 9,
      mode: { mode: 'random', enterAbove: 0.6, leaveBelow: 0.4 },
      settings: {
        maxPerOperator: 2,
        maxPerFailureDomain: 2,
        minDistinctPeers: 4,
        separationWindows: 7,
        windowHours: 1.5,
        separateSiblings: true,
        maxLatencyMs: 1000,
        maxPacketLoss: 0.01,
        maxPerRegion: 5,
        minContinents: 3,
        maxLoad: 0.9,
        headroomShards: 8,
        minReputation: 0.6,
        reputationFloor: 0.2,
        off: ['latency', 'load'],
      },
    });
  });

  it('rolls out over the policy before, which has its own version and limits', async () => {
    const text =
      'policy: {version: 2}\nplacement:\n  maxPerRegion: 2\n  rollout: {percent: 12.5%, previous: ';
    const { placement } = await policy(`${text}{version: 1}}`);
    expect(placement?.current).toMatchObject({
      version: 2,
      settings: { maxPerRegion: 2, maxPerOperator: 2 },
    });
    expect(placement?.rollout).toMatchObject({
      percent: 12.5,
      previous: { version: 1, settings: { maxPerRegion: 3, maxPerOperator: 2 } },
    });
    const other = await policy(`${text}{version: 1, maxPerOperator: 1, mode: deterministic}}`);
    expect(other.placement?.rollout?.previous).toMatchObject({
      settings: { maxPerOperator: 1 },
      mode: { mode: 'deterministic' },
    });
  });

  it('knows failure domains by the names of peers', async () => {
    const text =
      'placement:\n  failureDomains:\n    cellar: [peer-1, peer-2, peer-1]\n    de: [peer-2, old]\n';
    const peers = [...[1, 2, 3].map((n) => samplePeer(n)), samplePeer(4, { name: 'old', state: 'left' })];
    expect((await policy(text, peers)).placement?.failureDomains).toEqual(
      new Map([
        [samplePeerId(1), ['cellar']],
        [samplePeerId(2), ['cellar', 'de']],
        [samplePeerId(4), ['de']],
      ]),
    );
    const error = await policy(text.replace('old', 'peer3')).catch((failure: unknown) => failure);
    if (!HoldfastError.is(error, 'CONFIG_INVALID')) throw error;
    expect(error.message).toContain('line 5: placement.failureDomains.de: there is no peer "peer3"');
    expect(error.details.problems).toEqual([
      expect.objectContaining({ line: 5, setting: 'placement.failureDomains.de', suggestion: 'peer-3' }),
    ]);
  });
});
