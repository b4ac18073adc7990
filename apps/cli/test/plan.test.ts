import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EXIT } from '../src/exit-codes.ts';
import { holdfast, type Ran } from './run-command.ts';

let directory: string;
let vault: string;
let swarm: string;
const run = (...args: string[]): Promise<Ran> =>
  holdfast(['plan', ...args], { env: { HOLDFAST_VAULT: vault } });
const json = (ran: Ran) => {
  const value = JSON.parse(ran.stdout) as Record<string, unknown>;
  expect('error' in value).toBe(ran.code !== EXIT.ok);
  return value;
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-plan-'));
  vault = join(directory, 'vault');
  swarm = join(directory, 'swarm.yaml');
  await holdfast(['init'], { env: { HOLDFAST_VAULT: vault } });
  await writeFile(
    swarm,
    `- {name: a, region: eu/de/x, uptime: 99%, count: 3}
- {name: b, region: eu/fr/x, uptime: 99%, count: 3}
- {name: c, region: na/us/x, uptime: 98%, count: 3}
- {name: d, region: as/jp/x, count: 2}
`,
  );
});
afterAll(() => rm(directory, { recursive: true }));

it('shows the code, what it reaches, why, and what to write', async () => {
  const { code, stdout, stderr } = await run('--sla', 'gold', '--swarm', swarm);
  expect([code, stderr]).toEqual([EXIT.ok, '']);
  expect(stdout).toContain('gold is met');
  expect(stdout).not.toContain('What is missing');
  expect(stdout).toMatch(/any 5 of 11 shards: 11 peers a partition/);
  expect(stdout).toMatch(/R_effective = 5 \+ 2 = 7/);
  expect(stdout).toMatch(/uptime of 2 assumed/);
  expect(stdout).toMatch(/losing a region +up to 3 shards/);
  expect(stdout).toContain('In holdfast.yaml\n  policy:\n    k: 5\n    m: 6\n    maxPerOperator: 4\n');
});

it('says when backups will have to wait, and spares peers when asked to', async () => {
  const all = await run('--sla', 'gold', '--swarm', swarm);
  expect(all.stdout).toContain('new backups         79.97 % of the time, with 0 peers to spare');
  expect(all.stdout).toContain(
    '! New backups have to wait while any peer is away. Admit more peers, or plan with --spares 2.',
  );
  const sparing = await run('--sla', 'gold', '--swarm', swarm, '--spares', '2');
  expect(sparing.stdout).toMatch(/9 peers a partition/);
  expect(sparing.stdout).toMatch(/new backups +99\.\d+ % of the time, with 2 peers to spare/);
  expect(sparing.stdout).not.toContain('have to wait');
});

it('is one value under --json', async () => {
  const plan = json(
    await run('--sla', 'gold', '--swarm', swarm, '--json', '--churn', '1%/day', '--max-k', '4'),
  );
  expect(plan).toMatchObject({
    met: true,
    code: { k: 4, m: 7, copies: 1 },
    replication: { minimum: 5, effective: 7, wanted: 8 },
    settings: { policy: { k: 4, m: 7, maxPerOperator: 3 }, placement: {} },
    suggestions: [],
  });
});

it('says what is missing and what would meet it, and exits with 6', async () => {
  const args = ['--sla', 'platinum', '--regions', '5', '--swarm', swarm];
  const ran = await run(...args);
  expect(ran.code).toBe(EXIT.refused);
  expect(ran.stdout).toContain('platinum in 5 regions is not met; the nearest to it is');
  expect(ran.stdout).toContain('! the shards may lie in 4 regions instead of 5');
  expect(ran.stdout).toMatch(/What would meet it\n {2}\d+ more peers? .* 1 further region/);
  expect(ran.stdout).toContain('  platinum is met now');
  expect(ran.stderr).toContain('[PLACEMENT_REFUSED]');
  expect(json(await run(...args, '--json'))).toMatchObject({
    met: false,
    metInstead: 'platinum',
    shortfalls: [{ requirement: 'regions' }],
    suggestions: [{ kind: 'more-peers', newRegions: 1 }, { uptime: 0.999 }],
    error: { code: 'PLACEMENT_REFUSED' },
  });
});

it('has no settings for several copies', async () => {
  const args = ['--sla', 'bronze', '--scheme', 'replication', '--swarm', swarm];
  expect((await run(...args)).stdout).toContain('no setting for a plan with several');
  expect(json(await run(...args, '--json'))).toMatchObject({ settings: null, scheme: 'replication' });
});

it('without peers names what would do, and changes nothing', async () => {
  const before = await readFile(join(vault, 'holdfast.yaml'), 'utf8');
  const ran = await run('--sla', 'silver', '--apply', '--json');
  expect(ran.code).toBe(EXIT.refused);
  expect(json(ran)).toMatchObject({
    error: { code: 'PLACEMENT_REFUSED', hint: expect.stringContaining('more peers') },
  });
  expect(await readFile(join(vault, 'holdfast.yaml'), 'utf8')).toBe(before);
});

it.each([
  ['--sla', 'gilt'],
  ['--sla', '100'],
  ['--sla', 'gold', '--separation', '5'],
  ['--sla', 'gold', '--scheme', 'raid'],
  ['--sla', 'gold', '--min-k', '30'],
  ['--sla', 'gold', '--swarm', '/nonexistent'],
  [],
])('refuses %j %j %j %j', async (...args) => {
  const ran = await run(...args);
  expect(ran.code).toBe(EXIT.usage);
  expect(ran.stderr).toContain('[USAGE]');
});

it('applies no plan for peers that are not there', async () => {
  const ran = await run('--sla', 'gold', '--swarm', swarm, '--apply');
  expect(ran.code).toBe(EXIT.usage);
  expect(ran.stderr).toContain('--swarm');
});

it('has limits of placement among its settings where the promise rests on them', async () => {
  const args = ['--sla', 'platinum', '--swarm', swarm];
  expect((await run(...args)).stdout).toContain('\n  placement:\n    minContinents: 3\n');
});
