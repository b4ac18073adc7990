import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/contracts';
import { defaultMode } from '@holdfast/placement';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addSource, removeSource } from '../src/config/edit.ts';
import { configuredPath, loadConfig, parseConfig } from '../src/config/load.ts';
import { nearest } from '../src/config/nearest.ts';
import type { ConfigProblem } from '../src/config/problems.ts';
import { defaultMaxPerOperator } from '../src/config/schema.ts';
import { configTemplate } from '../src/config/template.ts';

const TEMPLATE = configTemplate({ k: 4, m: 2, helpers: 0, maxPerOperator: 2 });

function mistakes(text: string): ConfigProblem[] {
  try {
    parseConfig(text, 'holdfast.yaml');
  } catch (error) {
    if (!HoldfastError.is(error, 'CONFIG_INVALID')) throw error;
    return error.details.problems as ConfigProblem[];
  }
  return expect.unreachable('it should have been refused');
}

/** A source with one more setting, which begins in line 6. */
const scheduled = (setting: string): string =>
  `version: 1\nsources:\n  a:\n    kind: tree\n    path: /a\n    ${setting}\n`;

/** A database whose drill has one more setting, in line 6. */
const drilled = (setting: string): string =>
  `version: 1\nsources:\n  a:\n    kind: postgres\n    database: a\n    drill: {every: 7d, ${setting}}\n`;

describe('the configuration', () => {
  it('that init writes is valid and holds the defaults', () => {
    const written = parseConfig(TEMPLATE, 'holdfast.yaml').config;
    expect(written).toEqual(parseConfig('version: 1', 'holdfast.yaml').config);
    expect(written.policy).toEqual({
      version: 1,
      k: 4,
      helpers: 0,
      m: 2,
      maxPerOperator: 2,
      compressionLevel: 1,
      leaseDays: 90,
    });
    expect(written.placement).toEqual({
      mode: 'hybrid',
      hybrid: { enterAbove: defaultMode.enterAbove, leaveBelow: defaultMode.leaveBelow },
      saltEpoch: 0,
      minDistinctPeers: 3,
      separationWindows: 30,
      window: 86_400_000,
      separateSiblings: false,
      maxLatency: 100,
      maxPacketLoss: 0.05,
      maxPerRegion: 3,
      minContinents: 2,
      maxLoad: 0.7,
      headroomShards: 2,
      minReputation: 0.7,
      reputationFloor: 0.5,
      off: [],
      failureDomains: {},
    });
    expect(written.network).toEqual({ requestTimeout: 30_000, probeTimeout: 3_000 });
    expect(written.agent).toEqual({ grace: 30_000 });
  });

  it.each([
    ['version: 1\npolcy:\n  k: 4\n', 2, 'polcy', 'policy'],
    ['version: 1\npolicy:\n  k: 4\n  maxPerOperater: 2\n', 4, 'policy.maxPerOperater', 'maxPerOperator'],
    [
      'version: 1\nsources:\n  a:\n    kind: tree\n    path: /a\n    onefilesystem: true\n',
      6,
      'sources.a.onefilesystem',
      'oneFileSystem',
    ],
    [
      'version: 1\nsources:\n  a:\n    kind: sqlite\n    paht: /a\n    path: /b\n',
      5,
      'sources.a.paht',
      'path',
    ],
    ['version: 1\n\n# comment\nnetwork: {requestTimout: 3s}\n', 4, 'network.requestTimout', 'requestTimeout'],
    [scheduled('schedule: {every: 1h, catchup: true}'), 6, 'sources.a.schedule.catchup', 'catchUp'],
    [scheduled('hooks: {sucess: x}'), 6, 'sources.a.hooks.sucess', 'success'],
    [scheduled('hooks: {before: {run: x, tiemout: 1s}}'), 6, 'sources.a.hooks.before.tiemout', 'timeout'],
  ])('names line and nearest key: %j', (text, line, setting, suggestion) => {
    const [problem, ...others] = mistakes(text);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ line, setting, suggestion });
    expect(problem!.message).toContain(`did you mean "${suggestion}"`);
  });

  it('lists the known keys when nothing is near', () => {
    const [problem] = mistakes('version: 1\npolicy:\n  quorum: 3\n');
    expect(problem).toMatchObject({ line: 3, suggestion: null });
    expect(problem!.message).toContain(
      'known here: compressionLevel, helpers, k, leaseDays, m, maxPerOperator, version',
    );
  });

  it.each([
    ['policy:\n  k: 4\n', 'version', null],
    ['version: 2\n', 'version', 1],
    ['version: 1\npolicy:\n  k: four\n', 'policy.k', 3],
    ['version: 1\npolicy:\n  k: 1\n', 'policy.k', 3],
    ['version: 1\npolicy:\n  k: 4\n  maxPerOperator: 4\n', 'policy.maxPerOperator', 4],
    ['version: 1\npolicy:\n  k: 200\n  m: 100\n', 'policy.k', 3],
    ['version: 1\npolicy:\n  k: 10\n  m: 4\n  helpers: 12\n', 'policy.helpers', 5],
    ['version: 1\nsources:\n  a:\n    kind: oracle\n', 'sources.a.kind', 4],
    ['version: 1\nsources:\n  a:\n    kind: tree\n', 'sources.a.path', 3],
    [scheduled('schedule: {}'), 'sources.a.schedule', 6],
    [scheduled('schedule: {every: 15}'), 'sources.a.schedule.every', 6],
    [scheduled('schedule: {every: 100ms}'), 'sources.a.schedule.every', 6],
    [scheduled('schedule: {every: 1h, cron: "0 3 * * *"}'), 'sources.a.schedule.cron', 6],
    [scheduled('schedule:\n      cron: "0 3 * *"'), 'sources.a.schedule.cron', 7],
    [scheduled('schedule: {cron: "0 0 30 2 *"}'), 'sources.a.schedule.cron', 6],
    [scheduled('schedule: {cron: "@daily", timezone: Mars/Olympus}'), 'sources.a.schedule.timezone', 6],
    [scheduled('schedule: {every: 1h, timezone: UTC}'), 'sources.a.schedule.timezone', 6],
    [scheduled('schedule: {every: 1h, jitter: 31m}'), 'sources.a.schedule.jitter', 6],
    [scheduled('schedule: {every: 1h, timeout: 0s}'), 'sources.a.schedule.timeout', 6],
    [scheduled('schedule: {every: 1h, retries: {wait: 1h}}'), 'sources.a.schedule.retries.wait', 6],
    [scheduled('drill: {}'), 'sources.a.drill', 6],
    [scheduled('drill: {every: 7d, cron: "@daily"}'), 'sources.a.drill.cron', 6],
    [scheduled('drill: {every: 7d, on: "postgres://me@spare/"}'), 'sources.a.drill.on', 6],
    [drilled('on: "http://spare/"'), 'sources.a.drill.on', 6],
    [drilled('on: "postgres://me:secret@spare/"'), 'sources.a.drill.on', 6],
    [drilled('passwordFile: x, passwordEnv: Y'), 'sources.a.drill.passwordEnv', 6],
    [drilled('owner: nobody'), 'sources.a.drill.owner', 6],
    [scheduled('hooks: {failure: []}'), 'sources.a.hooks.failure.run', 6],
    [scheduled('hooks: {failure: [""]}'), 'sources.a.hooks.failure.run.0', 6],
    [scheduled('hooks: {failure: {}}'), 'sources.a.hooks.failure', 6],
    [scheduled('hooks: {failure: {run: [x], timeout: 25h}}'), 'sources.a.hooks.failure.timeout', 6],
    [
      scheduled('hooks: {failure: {run: [x], environment: ["A=B"]}}'),
      'sources.a.hooks.failure.environment.0',
      6,
    ],
    [scheduled('hooks: {failure: {run: [x], url: "https://x.example"}}'), 'sources.a.hooks.failure', 6],
    [scheduled('hooks: {failure: {url: "file:///etc/passwd"}}'), 'sources.a.hooks.failure.url', 6],
    ['version: 1\nnetwork:\n  requestTimeout: soon\n', 'network.requestTimeout', 3],
    ['version: 1\nplacement:\n  maxLoad: 170%\n', 'placement.maxLoad', 3],
    ['version: 1\nplacement:\n  maxLoad: 0%\n', 'placement.maxLoad', 3],
    ['version: 1\nplacement:\n  maxPacketLoss: 0\n', 'placement.maxPacketLoss', 3],
    ['version: 1\nplacement:\n  maxLatency: 100\n', 'placement.maxLatency', 3],
    ['version: 1\nplacement:\n  maxLatency: 0ms\n', 'placement.maxLatency', 3],
    ['version: 1\nplacement:\n  window: 0s\n', 'placement.window', 3],
    ['version: 1\nplacement:\n  off:\n    - distance\n', 'placement.off.0', 3],
    ['version: 1\nplacement:\n  mode: careful\n', 'placement.mode', 3],
    ['version: 1\nplacement:\n  maxPerFailureDomain: 4\n', 'placement.maxPerFailureDomain', 3],
    ['version: 1\nplacement:\n  minDistinctPeers: 7\n', 'placement.minDistinctPeers', 3],
    ['version: 1\nplacement:\n  minContinents: 7\n', 'placement.minContinents', 3],
    ['version: 1\nplacement:\n  reputationFloor: 0.8\n', 'placement.reputationFloor', 3],
    ['version: 1\nplacement:\n  minReputation: 40%\n', 'placement.reputationFloor', 2],
    ['version: 1\nplacement:\n  hybrid:\n    leaveBelow: 90%\n', 'placement.hybrid.leaveBelow', 4],
    ['version: 1\nplacement:\n  failureDomains:\n    cellar: []\n', 'placement.failureDomains.cellar', 4],
    ['version: 1\nplacement:\n  rollout: { percent: 10% }\n', 'placement.rollout.previous', 3],
    [
      'version: 1\nplacement:\n  rollout:\n    percent: 101%\n    previous: { version: 2 }\n',
      'placement.rollout.percent',
      4,
    ],
    [
      'version: 1\nplacement:\n  rollout:\n    percent: 10%\n    previous: { version: 1 }\n',
      'placement.rollout.previous.version',
      5,
    ],
    [
      'version: 1\nplacement:\n  rollout:\n    percent: 10%\n    previous:\n      version: 2\n      maxPerOperator: 4\n',
      'placement.rollout.previous.maxPerOperator',
      7,
    ],
    [
      'version: 1\nplacement:\n  rollout:\n    percent: 10%\n    previous:\n      version: 2\n      minContinents: 9\n',
      'placement.rollout.previous.minContinents',
      7,
    ],
    ['version: 1\nsources:\n  "a b":\n    kind: stdin\n', 'sources.a b', 3],
  ])('names the line of a wrong value: %j', (text, setting, line) => {
    expect(mistakes(text)[0]).toMatchObject({ setting, line });
  });

  it('takes shares as percentages and as numbers', () => {
    const placement = (text: string) =>
      parseConfig(`version: 1\nplacement: {${text}}\n`, 'holdfast.yaml').config.placement;
    expect(placement('maxLoad: 62.5%').maxLoad).toBe(0.625);
    expect(placement('maxLoad: 0.625').maxLoad).toBe(0.625);
    expect(placement('maxLoad: 1').maxLoad).toBe(1);
    expect(placement('reputationFloor: 0%').reputationFloor).toBe(0);
    expect(mistakes('version: 1\nplacement: {maxLaod: 70%}\n')[0]?.suggestion).toBe('maxLoad');
    const nested =
      'version: 1\nplacement:\n  rollout:\n    percent: 5%\n    previous: {version: 2, maxlatncy: 1s}\n';
    expect(mistakes(nested)[0]).toMatchObject({ line: 5, suggestion: 'maxLatency' });
  });

  it('says which numbers of helpers there are', () => {
    const message = (k: number, m: number, helpers: number) =>
      mistakes(`version: 1\npolicy:\n  k: ${k}\n  m: ${m}\n  helpers: ${helpers}\n`)[0]?.message;
    expect(message(10, 4, 12)).toContain('Possible for 10 + 4: 11, 13, 0.');
    expect(message(10, 3, 11)).toContain('Possible for 10 + 3: 0.');
  });

  it('reports all mistakes at once, and what is no YAML by line', () => {
    expect(mistakes('version: 1\npolcy: {}\nsorces: {}\n')).toHaveLength(2);
    expect(mistakes('version: 1\npolicy:\n  k: [4\n')[0]!.line).toBeGreaterThan(2);
    expect(mistakes('version: 1\nversion: 1\n')[0]).toMatchObject({ line: 2 });
    expect(mistakes('- a\n- b\n')).not.toEqual([]);
    expect(mistakes('')).not.toEqual([]);
  });

  it('never fails with anything but CONFIG_INVALID, whatever the bytes', () => {
    const lines = fc.array(
      fc.oneof(
        fc.string(),
        fc.constantFrom('version: 1', 'policy:', '  k: 3', 'sources: {}', '&a [*a]', '<<: *x'),
      ),
    );
    fc.assert(
      fc.property(lines, (parts) => {
        try {
          parseConfig(parts.join('\n'), 'holdfast.yaml');
        } catch (error) {
          expect(HoldfastError.is(error, 'CONFIG_INVALID')).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('limits one operator so that it may vanish whole', () => {
    expect(defaultMaxPerOperator(4, 2)).toBe(2);
    expect(defaultMaxPerOperator(10, 4)).toBe(4);
    expect(defaultMaxPerOperator(2, 3)).toBe(1);
  });

  it('resolves paths below the vault, and ~ to the home directory', () => {
    expect(configuredPath('app.db', '/v')).toBe('/v/app.db');
    expect(configuredPath('/a/b', '/v')).toBe('/a/b');
    expect(configuredPath('~/x', '/v')).toBe(join(homedir(), 'x'));
  });

  it('suggests only what a slip explains', () => {
    expect(nearest('sourcs', ['sources', 'policy'])).toBe('sources');
    expect(nearest('K', ['k', 'm'])).toBe('k');
    expect(nearest('database', ['sources', 'policy'])).toBeNull();
    expect(nearest('x', [])).toBeNull();
  });
});

describe('editing the configuration', () => {
  let vault: string;
  const file = () => readFile(join(vault, 'holdfast.yaml'), 'utf8');

  beforeEach(async () => {
    vault = await mkdtemp(join(tmpdir(), 'holdfast-config-'));
    await writeFile(join(vault, 'holdfast.yaml'), TEMPLATE);
  });
  afterEach(() => rm(vault, { recursive: true }));

  it('adds and removes sources and leaves everything else as it was', async () => {
    await addSource(vault, 'app', { kind: 'sqlite', path: '/a.db' }, false);
    await addSource(vault, 'home', { kind: 'tree', path: '/home', exclude: ['*.tmp'] }, false);
    expect(Object.keys((await loadConfig(vault)).sources)).toEqual(['app', 'home']);
    expect(await file()).toContain('  app:\n    kind: sqlite\n    path: /a.db\n');
    await removeSource(vault, 'home');
    await removeSource(vault, 'app');
    expect(await file()).toBe(TEMPLATE);
  });

  it('keeps comments that people wrote', async () => {
    const text =
      'version: 1 # one\n# mine\npolicy: {k: 3}\nsources:\n  # the app\n  app:\n    kind: stdin # piped\n';
    await writeFile(join(vault, 'holdfast.yaml'), text);
    await addSource(vault, 'b', { kind: 'stdin' }, false);
    for (const comment of ['# one', '# mine', '# the app', '# piped'])
      expect(await file()).toContain(comment);
  });

  it('replacing a source leaves alone when it is backed up', async () => {
    await addSource(vault, 'app', { kind: 'tree', path: '/x' }, false);
    const path = join(vault, 'holdfast.yaml');
    const written = await readFile(path, 'utf8');
    const more = '    schedule: {every: 1h} # hourly\n    hooks: {failure: [tell, me]}\n';
    await writeFile(path, written.replace('    path: /x\n', `    path: /x\n${more}`));
    await addSource(vault, 'app', { kind: 'sqlite', path: '/a.db' }, true);
    const { app } = (await loadConfig(vault)).sources;
    expect(app).toMatchObject({ kind: 'sqlite', path: '/a.db', schedule: { every: 3_600_000 } });
    expect(app).toMatchObject({ hooks: { failure: { run: ['tell', 'me'] } } });
    expect(await readFile(path, 'utf8')).toContain('# hourly');
    await addSource(vault, 'app', { kind: 'stdin' }, true);
    expect((await loadConfig(vault)).sources.app).toEqual({ kind: 'stdin', name: 'stdin' });
  });

  it('refuses a taken name unless told, and an unknown one', async () => {
    await addSource(vault, 'app', { kind: 'stdin' }, false);
    await expect(addSource(vault, 'app', { kind: 'stdin' }, false)).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
    await addSource(vault, 'app', { kind: 'tree', path: '/x' }, true);
    expect((await loadConfig(vault)).sources.app).toMatchObject({ kind: 'tree' });
    await expect(removeSource(vault, 'ap')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('says when there is no vault', async () => {
    await expect(loadConfig(join(vault, 'no'))).rejects.toMatchObject({ code: 'CONFIG_MISSING' });
  });
});
