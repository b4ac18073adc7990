import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { Lab } from './support/lab.ts';
import { RunningAgent } from './support/running-agent.ts';
import { treeDigest } from './support/tree-digest.ts';
import { until } from './support/until.ts';

let lab: Lab;
const agents: RunningAgent[] = [];
const [SMALL, LARGE, ABSENT] = ['backup:small', 'backup:large', 'backup:absent'];

beforeAll(async () => {
  lab = await Lab.up({ peers: 5, k: 2, m: 2, operators: 5 });
  await mkdir(lab.path('small'));
  await writeFile(join(lab.path('small'), 'note'), 'hello');
  await mkdir(lab.path('large'));
});

afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.end('SIGKILL');
});

afterAll(() => lab?.down());

function start(environment: Readonly<Record<string, string>> = {}): RunningAgent {
  const agent = new RunningAgent(lab, environment);
  agents.push(agent);
  return agent;
}

/** Replaces what the configuration says of sources, and the agent's grace. */
async function configure(sources: Record<string, object>, grace = '30s'): Promise<void> {
  const path = join(lab.vault, 'holdfast.yaml');
  const document = parseDocument(await readFile(path, 'utf8'));
  document.set('sources', document.createNode(sources));
  document.setIn(['agent', 'grace'], grace);
  await writeFile(path, document.toString());
}

const small = (more: object = {}): object => ({
  kind: 'tree',
  path: lab.path('small'),
  schedule: { every: '2s', jitter: '0s' },
  ...more,
});

const large = (more: object = {}): object => ({
  kind: 'tree',
  path: lab.path('large'),
  schedule: { every: '2s', jitter: '0s', retries: { wait: '100ms' } },
  ...more,
});

/** Enough for a backup to be under way for a while. */
const freshContent = (): Promise<void> =>
  writeFile(join(lab.path('large'), 'content'), randomBytes(48_000_000));

interface TaskOutput {
  readonly task: string;
  readonly failures: number;
  readonly overdue: boolean;
  readonly next: string | null;
  readonly lastSuccess: { readonly snapshot: string; readonly startedAt: string } | null;
  readonly lastFailure: { readonly code: string; readonly message: string } | null;
}

async function agentStatus(): Promise<{ running: boolean; pid: number | null; tasks: TaskOutput[] }> {
  return (await lab.must(['agent', 'status'])).json as never;
}

async function taskStatus(task: string): Promise<TaskOutput> {
  return (await agentStatus()).tasks.find((one) => one.task === task)!;
}

async function snapshotsOf(source: string): Promise<{ id: string; complete: boolean }[]> {
  const all = (await lab.must(['snapshots'])).json as unknown as {
    id: string;
    source: string;
    complete: boolean;
  }[];
  return all.filter((snapshot) => snapshot.source === source);
}

/** Of one source at a time, and never two at once. */
function expectOneAtATime(agent: RunningAgent): void {
  let running: string | undefined;
  for (const { event, task } of agent.events) {
    if (event === 'run-started') {
      expect(running).toBeUndefined();
      running = task;
    }
    // One may be stopped before it has begun, while it waits for the vault.
    if (event === 'run-stopped' && running === undefined) continue;
    if (['run-succeeded', 'run-failed', 'run-stopped'].includes(event)) {
      expect(task).toBe(running);
      running = undefined;
    }
  }
}

describe('the agent', () => {
  it('backs up by schedule, source after source, and goes on when one of them fails', async () => {
    const absent = {
      kind: 'tree',
      path: lab.path('absent'),
      schedule: { every: '2s', retries: { count: 0 } },
    };
    await configure({ small: small(), absent });
    const check = await lab.must(['agent', '--check']);
    expect(check.json).toMatchObject({
      tasks: [
        { task: SMALL, schedule: 'every 2s' },
        { task: ABSENT, schedule: 'every 2s' },
      ],
    });
    const agent = start();
    await until(
      () =>
        agent.all({ event: 'run-succeeded', task: SMALL }).length >= 2 &&
        agent.all({ event: 'run-failed', task: ABSENT }).length >= 2,
    );
    const second = await lab.run(['agent']);
    expect([second.code, second.json.error.code]).toEqual([7, 'BUSY']);
    expect(second.json.error.message).toContain(String(agent.pid));

    const status = await agentStatus();
    expect(status).toMatchObject({ running: true, pid: agent.pid });
    const [good, bad] = [await taskStatus(SMALL), await taskStatus(ABSENT)];
    expect(good).toMatchObject({ failures: 0, lastFailure: null });
    expect(bad).toMatchObject({ lastSuccess: null, lastFailure: { code: 'SOURCE_UNREADABLE' } });
    expect(bad.failures).toBeGreaterThanOrEqual(2);
    expect(Date.parse(good.next!)).toBeGreaterThan(Date.now() - 60_000);

    expect((await agent.end()).code).toBe(0);
    expectOneAtATime(agent);
    expect(await agentStatus()).toMatchObject({ running: false, pid: null });
    expect(await snapshotsOf('absent')).toEqual([]);
    const made = (await snapshotsOf('small')).map(({ id }) => id);
    expect(agent.all({ event: 'run-succeeded' }).map(({ snapshot }) => snapshot)).toEqual(made);
    // Two intervals without a good snapshot are told of where people look.
    await until(async () => {
      const { warnings } = (await lab.must(['status'])).json as unknown as { warnings: string[] };
      return warnings.some((line) => line.includes('"small" is overdue'));
    });
  });

  it('refuses a configuration with mistakes, and names the line', async () => {
    await configure({ small: small({ schedule: { evry: '2s' } }) });
    const refused = await lab.run(['agent', '--check']);
    expect([refused.code, refused.json.error.code]).toEqual([2, 'CONFIG_INVALID']);
    expect(refused.json.error.message).toMatch(/line \d+: unknown key "evry".*did you mean "every"/);
  });
});

describe('an agent that is killed in the middle of a backup', () => {
  it('goes on where it was', async () => {
    await configure({ large: large() });
    await freshContent();
    const first = start();
    await first.sees({ event: 'run-succeeded', task: LARGE });
    const before = (await taskStatus(LARGE)).lastSuccess!;
    await freshContent();
    const from = first.events.length;
    await first.sees({ event: 'run-started', task: LARGE }, from);
    await first.end('SIGKILL');
    const made = (await snapshotsOf('large')).length;

    expect(await taskStatus(LARGE)).toMatchObject({ lastSuccess: { snapshot: expect.any(String) } });
    expect((await taskStatus(LARGE)).lastSuccess!.startedAt >= before.startedAt).toBe(true);
    // No slot for long: what begins is the run that was killed, as another try.
    await configure({ large: large({ schedule: { cron: '0 0 1 1 *', retries: { wait: '100ms' } } }) });
    const again = start();
    await again.sees({ event: 'run-interrupted', task: LARGE });
    expect(await again.sees({ event: 'run-started', task: LARGE })).toMatchObject({ attempt: 2 });
    await again.sees({ event: 'run-succeeded', task: LARGE });
    await again.end();
    const snapshots = await snapshotsOf('large');
    expect(snapshots.length).toBeGreaterThan(made);
    const target = lab.path('restored after kill');
    await lab.must(['restore', snapshots.at(-1)!.id, '--to', target]);
    expect(await treeDigest(target)).toBe(await treeDigest(lab.path('large')));
  });

  it('is not stopped by a state file that nobody understands', async () => {
    await configure({ small: small() });
    await writeFile(join(lab.vault, 'agent', 'state.json'), '{"version": 1, "tasks": ');
    const { stderr } = await lab.must(['agent', 'status']);
    expect(stderr).toContain('cannot be read');
    const agent = start();
    expect(await agent.sees({ event: 'state-damaged' })).toMatchObject({ level: 'warning' });
    await agent.sees({ event: 'run-succeeded', task: SMALL });
    await agent.end();
    expect(await readFile(join(lab.vault, 'agent', 'state.json.damaged'), 'utf8')).toContain('{"version"');
  });
});

describe('beside a backup made by hand', () => {
  it('waits, and counts that as no failure', async () => {
    await configure({ small: small(), dump: { kind: 'stdin' } });
    const byHand = lab.start(['backup', 'dump'], { input: 'open' });
    // More than a pipe holds: it is through only when the backup reads, and then it has the vault.
    await new Promise((resolve) => byHand.child.stdin.write(randomBytes(2_000_000), resolve));
    const agent = start();
    await agent.sees({ event: 'run-waiting', task: SMALL });
    // Slots go by, and become one run.
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    byHand.child.stdin.end();
    expect((await byHand.ended).code).toBe(0);
    await agent.sees({ event: 'run-succeeded', task: SMALL });
    await agent.end();
    expect(agent.all({ event: 'run-failed' })).toEqual([]);
    expect(agent.all({ event: 'run-waiting' })).toHaveLength(1);
    expect(await taskStatus(SMALL)).toMatchObject({ failures: 0 });
    expectOneAtATime(agent);
  });
});

describe('an agent that is told to stop', () => {
  it('cancels the backup once the grace is over, and makes it first thing when it is there again', async () => {
    await configure({ large: large() }, '0s');
    await freshContent();
    const before = (await snapshotsOf('large')).length;
    const agent = start();
    await agent.sees({ event: 'run-started', task: LARGE });
    const ended = await agent.end();
    expect(ended.code).toBe(0);
    expect(agent.all({ event: 'run-stopped', task: LARGE })).toHaveLength(1);
    expect(await snapshotsOf('large')).toHaveLength(before);
    expect(await taskStatus(LARGE)).toMatchObject({ failures: 0, lastFailure: null });

    // Its next slot is far away: what begins is the run that was stopped.
    await configure({ large: large({ schedule: { cron: '0 0 1 1 *' } }) });
    const again = start();
    expect(await again.sees({ event: 'run-started', task: LARGE })).toMatchObject({ attempt: 1 });
    await again.sees({ event: 'run-succeeded', task: LARGE });
    expect((await again.end()).code).toBe(0);
  });

  it('lets it finish within the grace', async () => {
    await configure({ large: large() }, '100s');
    await freshContent();
    const agent = start();
    await agent.sees({ event: 'run-started', task: LARGE });
    expect((await agent.end()).code).toBe(0);
    expect(agent.all({ event: 'run-succeeded', task: LARGE })).toHaveLength(1);
    expect(agent.events.at(-1)).toMatchObject({ event: 'agent-stopped' });
  });

  it('ends at once at the second signal', async () => {
    await configure({ large: large() }, '100s');
    await freshContent();
    const agent = start();
    await agent.sees({ event: 'run-started', task: LARGE });
    agent.kill('SIGTERM');
    await agent.sees({ event: 'agent-stopping' });
    expect((await agent.end()).code).toBe(130);
    expect(agent.all({ event: 'run-succeeded' })).toEqual([]);
  });
});

describe('at SIGHUP the agent', () => {
  it('takes the new configuration, and keeps the old one when that has mistakes', async () => {
    await configure({ small: small() });
    const agent = start();
    await agent.sees({ event: 'run-succeeded', task: SMALL });
    await configure({ small: small({ schedule: { every: 'often' } }) });
    agent.kill('SIGHUP');
    const refused = await agent.sees({ event: 'reload-failed' });
    expect(refused).toMatchObject({ error: { code: 'CONFIG_INVALID' } });
    await agent.sees({ event: 'run-succeeded', task: SMALL }, agent.events.length);

    await configure({ large: large() });
    agent.kill('SIGHUP');
    await agent.sees({ event: 'reloaded' });
    await agent.sees({ event: 'run-succeeded', task: LARGE });
    const since = agent.events.findIndex(({ event }) => event === 'reloaded');
    const laterStarts = agent.events.slice(since).filter(({ event }) => event === 'run-started');
    expect(laterStarts.map(({ task }) => task)).not.toContain(SMALL);
    await agent.end();
    expect((await agentStatus()).tasks.map(({ task }) => task)).toEqual([LARGE]);
  });
});

describe('hooks', () => {
  it('are run with the facts, and without the secrets', async () => {
    const told = lab.path('told');
    const write = `{ cat; env; } >> ${told}.$HOLDFAST_EVENT`;
    const hooks = { before: ['/bin/echo', '$HOME', 'is not for a shell'], success: write };
    await configure({ small: small({ hooks }) });
    const agent = start({ SOME_TOKEN: 'not for hooks' });
    const { snapshot } = await agent.sees({ event: 'run-succeeded', task: SMALL });
    await until(async () =>
      (await readFile(`${told}.success`, 'utf8').catch(() => '')).includes('HOLDFAST_VAULT'),
    );
    await agent.end();
    const [json, ...environment] = (await readFile(`${told}.success`, 'utf8')).split('\n');
    expect(JSON.parse(json!)).toMatchObject({ event: 'success', source: 'small', snapshot, attempt: 1 });
    expect(environment).toContain('HOLDFAST_SOURCE=small');
    expect(environment).toContain(`HOLDFAST_SNAPSHOT=${snapshot}`);
    expect(environment.join('\n')).not.toContain('not for hooks');
    expect(await agent.sees({ event: 'hook-output', hook: 'before' })).toMatchObject({
      message: 'before hook: $HOME is not for a shell',
    });
  });

  it('before a run can prevent it; after one they change nothing', async () => {
    const before = (await snapshotsOf('small')).length;
    const retries = { count: 1, wait: '100ms' };
    const schedule = { every: '2s', jitter: '0s', retries };
    const posted: { errorCode: string; willRetry: boolean }[] = [];
    const server = createServer(async (request, response) => {
      let text = '';
      for await (const piece of request) text += piece;
      posted.push(JSON.parse(text));
      response.statusCode = 503;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a-secret`;
    await configure({
      small: small({ schedule, hooks: { before: 'echo no way; exit 3', failure: { url } } }),
    });
    const agent = start();
    await until(() => agent.all({ event: 'hook-failed' }).length >= 2);
    await agent.end();
    server.close();
    const [failed] = agent.all({ event: 'run-failed' });
    expect(failed).toMatchObject({
      error: { code: 'HOOK_FAILED', message: expect.stringContaining('exit code 3') },
    });
    expect(agent.all({ event: 'hook-output' })[0]).toMatchObject({ message: 'before hook: no way' });
    expect(posted[0]).toMatchObject({ event: 'failure', errorCode: 'HOOK_FAILED', willRetry: true });
    expect(posted[1]).toMatchObject({ event: 'failure', errorCode: 'HOOK_FAILED', attempt: 2 });
    expect(JSON.stringify(agent.events)).not.toContain('a-secret');
    expect(await snapshotsOf('small')).toHaveLength(before);
    expect(await taskStatus(SMALL)).toMatchObject({ lastFailure: { code: 'HOOK_FAILED' } });
  });
});
