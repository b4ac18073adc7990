import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { COMMAND, holdfast, type Ran } from '../run-command.ts';

let directory: string;
let vault: string;
let passphraseFile: string;
const started: ChildProcess[] = [];

const HOOK = `before: {run: 'echo "[$HOLDFAST_PASSPHRASE$HOLDFAST_PASSPHRASE_FILE]"', environment: [HOLDFAST_PASSPHRASE, HOLDFAST_PASSPHRASE_FILE]}`;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-agent-command-'));
  vault = join(directory, 'vault');
  passphraseFile = join(directory, 'passphrase');
  await writePassphrase('open sesame');
  const made = await run(['init', '--k', '2', '--m', '1'], withPassphrase());
  expect(made.code).toBe(0);
  await writeConfig(`    schedule: {every: 1s, retries: {count: 0}}\n    hooks: {${HOOK}}\n`);
});
afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rm(directory, { recursive: true }));

const writePassphrase = (text: string): Promise<void> =>
  writeFile(passphraseFile, `${text}\n`, { mode: 0o600 });
const withPassphrase = (): Record<string, string> => ({ HOLDFAST_PASSPHRASE_FILE: passphraseFile });

const writeConfig = (more: string): Promise<void> =>
  writeFile(
    join(vault, 'holdfast.yaml'),
    `version: 1\npolicy: {k: 2, m: 1}\nsources:\n  app:\n    kind: tree\n    path: ${directory}\n${more}`,
  );

const run = (args: readonly string[], env: Record<string, string> = {}): Promise<Ran> =>
  holdfast(args, { env: { HOLDFAST_VAULT: vault, ...env }, cwd: directory });

function start(args: readonly string[]): { child: ChildProcess; lines: string[] } {
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', HOLDFAST_VAULT: vault, ...withPassphrase() };
  const child = spawn(process.execPath, [COMMAND, 'agent', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  const lines: string[] = [];
  let rest = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    const pieces = (rest + text).split('\n');
    rest = pieces.pop()!;
    lines.push(...pieces);
  });
  return { child, lines };
}

async function sees(lines: readonly string[], pattern: RegExp): Promise<string> {
  for (;;) {
    const found = lines.find((line) => pattern.test(line));
    if (found !== undefined) return found;
    await sleep(10);
  }
}

describe('holdfast agent', { timeout: 120_000 }, () => {
  it('does not begin without the passphrase, or with a wrong one', async () => {
    const without = await run(['agent', '--json']);
    expect([without.code, JSON.parse(without.stdout).error.code]).toEqual([9, 'KEY_MISSING']);
    const wrong = await run(['agent', '--json'], { HOLDFAST_PASSPHRASE: 'open barley' });
    expect([wrong.code, JSON.parse(wrong.stdout).error.code]).toEqual([9, 'KEY_WRONG']);
  });

  it('asks for the passphrase once, and passes it on to nobody', async () => {
    const { child, lines } = start([]);
    await sees(lines, /runs for/);
    await rm(passphraseFile);
    try {
      // The vault is open by then, or there would be no hook. There are no peers, so the backup itself is refused.
      expect(await sees(lines, /before hook/)).toContain('before hook: []');
      expect(await sees(lines, /error/)).toContain('PLACEMENT_REFUSED');
    } finally {
      await writePassphrase('open sesame');
    }
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    for (const line of lines) {
      expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z (info {3}|warning|error {2}) \S/);
    }
    expect(lines.join('\n')).not.toContain('sesame');
    expect(await readFile(join(vault, 'agent', 'state.json'), 'utf8')).not.toContain('sesame');
  });

  it('says nothing but warnings and errors when it is to be quiet', async () => {
    const { child, lines } = start(['--quiet']);
    await sees(lines, /PLACEMENT_REFUSED/);
    child.kill('SIGINT');
    await once(child, 'exit');
    expect(lines.filter((line) => line.includes(' info '))).toEqual([]);
  });

  it('shows where hooks are, and not what they say', async () => {
    await writeConfig('    hooks: {success: {url: "https://example.net/a-secret"}}\n');
    const listed = await run(['source', 'list', '--json']);
    expect(listed.stdout).not.toContain('secret');
    expect(JSON.parse(listed.stdout)).toMatchObject([{ name: 'app', hooks: ['success'] }]);
    await writeConfig('    hooks: {success: {url: "htps://example.net/a-secret"}}\n');
    const refused = await run(['agent', '--check']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/line 7: sources.app.hooks.success.url/);
    expect(refused.stderr).not.toContain('secret');
  });
});

describe('holdfast agent --check and status', () => {
  it('say so when nothing has a schedule, and no agent ever ran', async () => {
    await writeConfig('');
    expect((await run(['agent', '--check'])).stdout).toContain('No source has a schedule');
    const status = await run(['agent', 'status']);
    expect([status.code, status.stdout]).toEqual([0, expect.stringContaining('No agent runs')]);
  });

  it('know when a source is next', async () => {
    // An agent before this may have been stopped in a run, which would be next.
    await rm(join(vault, 'agent'), { recursive: true, force: true });
    await writeConfig('    schedule: {cron: "0 3 1 1 *", timezone: UTC, jitter: 0s}\n');
    const [now, soon] = [new Date(), Date.UTC(new Date().getUTCFullYear(), 0, 1, 3)];
    const year = now.getUTCFullYear() + (now.getTime() < soon ? 0 : 1);
    const checked = JSON.parse((await run(['agent', '--check', '--json'])).stdout);
    expect(checked).toEqual({
      tasks: [
        {
          task: 'backup:app',
          source: 'app',
          schedule: '0 3 1 1 * (UTC)',
          slot: `${year}-01-01T03:00:00.000Z`,
          next: `${year}-01-01T03:00:00.000Z`,
        },
      ],
    });
  });

  it('refuse a schedule for standard input', async () => {
    await writeFile(
      join(vault, 'holdfast.yaml'),
      'version: 1\nsources:\n  app:\n    kind: stdin\n    schedule: {every: 1h}\n',
    );
    const refused = await run(['agent', '--check']);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining('line 5: unknown key "schedule"'),
    ]);
  });
});
