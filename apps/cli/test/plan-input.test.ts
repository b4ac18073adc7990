import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setPlan } from '../src/config/edit.ts';
import { loadConfig } from '../src/config/load.ts';
import { parseLevel, parsePlanSettings } from '../src/config/plan-options.ts';
import { readSwarmFile } from '../src/config/swarm-file.ts';
import { configTemplate } from '../src/config/template.ts';
import { parseRate } from '../src/units/rate.ts';
import { parseUptime } from '../src/units/uptime.ts';

const usageOf = (run: () => unknown): HoldfastError => {
  try {
    run();
  } catch (error) {
    if (HoldfastError.is(error, 'USAGE')) return error;
    throw error;
  }
  return expect.unreachable('it should have been refused');
};

describe('rates', () => {
  it.each([
    ['5%/day', 0.05],
    ['0.05', 0.05],
    ['5 % / Day', 0.05],
    ['1%/hour', 0.24],
    ['7%/week', 0.01],
    ['.3/month', 0.01],
    ['0', 0],
    ['200%/day', 2],
  ])('%s is %d a day', (text, rate) => expect(parseRate(text)).toBeCloseTo(rate, 12));

  it.each(['', '%', '-5%', '5%/year', '5 per day', '1e3', '5%/', 'NaN'])('refuses "%s"', (text) => {
    expect(usageOf(() => parseRate(text)).hint).toContain('5%/day');
  });
});

describe('uptimes', () => {
  it.each([
    ['99.99', 0.9999],
    ['99.99%', 0.9999],
    [' 99.9 % ', 0.999],
    ['0.9995', 0.9995],
    ['.5', 0.5],
    ['1%', 0.01],
    ['1', 1],
    ['100', 1],
    ['0', 0],
  ])('%s is exactly %d', (text, uptime) => expect(parseUptime(text)).toBe(uptime));

  it.each(['', '%', '101', '-1', '1e-3', '99,9', 'gold', 'NaN'])('refuses "%s"', (text) => {
    expect(usageOf(() => parseUptime(text)).details).toEqual({ value: text });
  });
});

const options = {
  sla: 'gold',
  scheme: 'erasure',
  separation: '2',
  churn: '0',
  assumeUptime: '95%',
  minK: '2',
  spares: '0',
  maxK: '20',
};

describe('options', () => {
  it('name a level, or give one', () => {
    expect(parseLevel(options)).toMatchObject({ name: 'gold', uptime: 0.9999, regions: 3 });
    expect(parseLevel({ ...options, sla: '99.95' })).toMatchObject({
      name: '99.95 %',
      uptime: 0.9995,
      regions: 2,
    });
    expect(parseLevel({ ...options, sla: '0.9995', regions: '4' })).toMatchObject({
      uptime: 0.9995,
      regions: 4,
    });
    for (const sla of ['gilt', '100', '0', '-5', '']) usageOf(() => parseLevel({ ...options, sla }));
    for (const regions of ['0', '1.5', 'all']) usageOf(() => parseLevel({ ...options, regions }));
  });

  it('become settings', () => {
    expect(
      parsePlanSettings({
        ...options,
        scheme: 'replication',
        separation: '3',
        churn: '2%/day',
        minK: '3',
        spares: '4',
        maxK: '8',
      }),
    ).toEqual({
      scheme: 'replication',
      separation: 3,
      churnPerDay: 0.02,
      assumedUptime: 0.95,
      minK: 3,
      spares: 4,
      maxK: 8,
    });
  });

  it.each([
    { scheme: 'raid' },
    { separation: '4' },
    { churn: 'much' },
    { assumeUptime: '200' },
    { minK: '21' },
    { minK: '1' },
    { spares: '-1' },
    { maxK: '201' },
  ])('are refused: %j', (wrong) => {
    usageOf(() => parsePlanSettings({ ...options, ...wrong }));
  });
});

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-plan-'));
});
afterAll(() => rm(directory, { recursive: true }));

describe('a list of peers', () => {
  const listed = async (text: string) => {
    const path = join(directory, 'swarm.yaml');
    await writeFile(path, text);
    return readSwarmFile(path);
  };

  it('gives names, operators and room, and several of a kind', async () => {
    const peers = await listed(`
      - {name: anna, region: eu/de/berlin, uptime: 99.5%, capacity: 2GiB}
      - {name: bea, region: eu/fr, count: 2}
      - {name: cloud, region: na/us/nyc, count: 2, operator: acme, uptime: 0.9, failureDomains: [east]}`);
    expect(peers.map((peer) => [peer.id, peer.operator, peer.region, peer.uptime])).toEqual([
      ['anna', 'anna', 'eu/de/berlin', 0.995],
      ['bea-1', 'bea-1', 'eu/fr', undefined],
      ['bea-2', 'bea-2', 'eu/fr', undefined],
      ['cloud-1', 'acme', 'na/us/nyc', 0.9],
      ['cloud-2', 'acme', 'na/us/nyc', 0.9],
    ]);
    expect(peers[0]).toMatchObject({ freeBytes: 2 ** 31, capacityBytes: 2 ** 31 });
    expect(peers[1]!.freeBytes).toBeGreaterThan(2 ** 30);
    expect(peers[4]!.failureDomains).toEqual(['east']);
  });

  it('may be JSON', async () => {
    expect(await listed('[{"name": "a", "region": "eu/de", "uptime": 97}]')).toMatchObject([
      { id: 'a', uptime: 0.97 },
    ]);
  });

  it.each([
    ['[]', 'the list of peers'],
    ['name: a', 'the list of peers'],
    ['- {name: a}', 'peer 1, region'],
    ['- {name: a, region: eu}\n- {name: b, region: Berlin}', 'peer 2, region'],
    ['- {name: a, region: eu, uptme: 1}', 'peer 1'],
    ['- {name: a, region: eu, uptime: often}', 'peer 1, uptime'],
    ['- {name: a, region: eu, uptime: -1}', 'peer 1, uptime'],
    ['- {name: a, region: eu, capacity: much}', 'peer 1, capacity'],
    ['- {name: a, region: eu, count: 0}', 'peer 1, count'],
    ['- {name: a, region: eu, count: 6000}\n- {name: b, region: eu, count: 6000}', 'more than 10000'],
    ['- [', 'not YAML'],
    [`- {name: a, region: eu} #${'x'.repeat(2 ** 20)}`, 'larger than 1 MiB'],
  ])('%j is refused', async (text, where) => {
    const error: unknown = await listed(text).catch((thrown: unknown) => thrown);
    expect(HoldfastError.is(error, 'USAGE')).toBe(true);
    expect((error as HoldfastError).message).toContain(where);
  });

  it('that cannot be read is refused', async () => {
    await expect(readSwarmFile(join(directory, 'none.yaml'))).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('a plan', () => {
  const path = () => join(directory, 'holdfast.yaml');
  const policy = { k: 8, m: 6, maxPerOperator: 5 };
  const plan = { policy, placement: { minContinents: 3 } };
  beforeEach(() => writeFile(path(), configTemplate({ k: 4, m: 2, helpers: 5, maxPerOperator: 2 })));

  it('is written with the next policy version; comments and everything else stay', async () => {
    const before = await readFile(path(), 'utf8');
    const { changed, config } = await setPlan(directory, plan);
    expect(changed).toBe(true);
    expect(config.policy).toMatchObject({ ...policy, version: 2, helpers: 0 });
    expect(config.placement).toMatchObject({ minContinents: 3, maxPerRegion: 3 });
    expect(await loadConfig(directory)).toEqual(config);
    const after = await readFile(path(), 'utf8');
    const values = /^( {2}(version|k|m|helpers|maxPerOperator|minContinents)): \d+$/gm;
    const padding = /\{ (.*) \}|\{(.*)\}/g;
    const bare = (text: string) => text.replace(values, '$1').replace(padding, '{$1$2}');
    expect(bare(after)).toBe(bare(before));
  });

  it('keeps helpers that suit it', async () => {
    await setPlan(directory, { policy: { k: 4, m: 4, maxPerOperator: 3 }, placement: {} });
    expect((await loadConfig(directory)).policy.helpers).toBe(5);
  });

  it('that is there already changes nothing', async () => {
    await setPlan(directory, plan);
    const before = await readFile(path(), 'utf8');
    expect(await setPlan(directory, plan)).toMatchObject({
      changed: false,
      config: { policy: { version: 2 } },
    });
    expect(await readFile(path(), 'utf8')).toBe(before);
    const placement = { maxPerRegion: 2, maxPerFailureDomain: 4 };
    const { config } = await setPlan(directory, { policy, placement });
    expect(config).toMatchObject({ policy: { version: 3 }, placement });
  });

  it('is written where there was no policy', async () => {
    await writeFile(path(), 'version: 1 # mine\n');
    await setPlan(directory, { policy, placement: {} });
    expect(await readFile(path(), 'utf8')).toContain('version: 1 # mine\npolicy:\n  k: 8\n  m: 6\n');
  });
});
