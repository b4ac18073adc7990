import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { lockVault } from '@holdfast/catalog';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../src/exit-codes.ts';
import { holdfast, type Ran } from './run-command.ts';

let directory: string;
let vault: string;
const run = (args: readonly string[], env: Record<string, string> = {}): Promise<Ran> =>
  holdfast(args, { env: { HOLDFAST_VAULT: vault, ...env }, cwd: directory });

/** Exactly one value, and an `error` in it if and only if the exit code says so. */
function json(ran: Ran): Record<string, unknown> {
  const value = JSON.parse(ran.stdout) as Record<string, unknown>;
  expect('error' in value).toBe(ran.code !== EXIT.ok);
  return value;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-cli-'));
  vault = join(directory, 'vault');
  const made = await run(['init', '--json', '--k', '3', '--m', '2']);
  expect(json(made)).toMatchObject({
    vault: { directory: vault, fingerprint: expect.stringMatching(/^[0-9a-f-]{19}$/) },
    policy: { k: 3, m: 2, helpers: 0, maxPerOperator: 2 },
    passphrase: false,
  });
  // Into a pipe goes no secret unless it was asked for.
  expect(made.stdout).not.toContain('recoveryPhrase');
});
afterAll(() => rm(directory, { recursive: true }));

describe('init', () => {
  it('makes private files', async () => {
    expect((await stat(vault)).mode & 0o077).toBe(0);
    for (const name of ['root.key', 'owner.pem', 'authority.pem']) {
      expect((await stat(join(vault, 'keys', name))).mode & 0o077).toBe(0);
    }
    expect(await readFile(join(vault, 'holdfast.yaml'), 'utf8')).toContain('\n  k: 3\n');
  });

  it('makes a vault with a Clay code, and none where there is no such code', async () => {
    const other = join(directory, 'clay');
    const shape = ['--k', '10', '--m', '4', '--vault', other, '--json'];
    const refused = await run(['init', '--helpers', '12', ...shape]);
    expect(refused.code).toBe(EXIT.usage);
    expect(json(refused)).toMatchObject({
      error: { code: 'CODE_PARAMETERS', message: expect.stringContaining('11, 13') },
    });
    expect(await readdir(directory)).not.toContain('clay');
    expect(json(await run(['init', '--helpers', '13', ...shape]))).toMatchObject({ policy: { helpers: 13 } });
    expect(await readFile(join(other, 'holdfast.yaml'), 'utf8')).toContain('\n  helpers: 13\n');
  });

  it('refuses an existing vault and touches nothing', async () => {
    const before = await readFile(join(vault, 'keys', 'root.key'));
    const again = await run(['init', '--json']);
    expect(again.code).toBe(EXIT.usage);
    expect(json(again)).toMatchObject({
      error: { code: 'ALREADY_EXISTS', hint: expect.stringContaining('--vault') },
    });
    expect(await readFile(join(vault, 'keys', 'root.key'))).toEqual(before);
  });

  it('refuses a directory with other things in it', async () => {
    const other = await mkdtemp(join(directory, 'other-'));
    await writeFile(join(other, 'letter.txt'), 'dear');
    const refused = await run(['init', '--json', '--vault', other]);
    expect(json(refused)).toMatchObject({ error: { code: 'ALREADY_EXISTS' } });
    expect(await readdir(other)).toEqual(['letter.txt']);
  });

  it.each([
    ['--k', '1'],
    ['--m', '0'],
    ['--k', '200', '--m', '100'],
    ['--max-per-operator', '4'],
  ])('refuses %j %j', async (...options) => {
    const refused = await run(['init', '--vault', join(directory, 'never'), ...options]);
    expect(refused.code).toBe(EXIT.usage);
    expect(refused.stderr).toContain('[USAGE]');
    await expect(stat(join(directory, 'never'))).rejects.toThrow();
  });

  it('protects the root key by a passphrase, which the phrase command then needs', async () => {
    const sealed = { HOLDFAST_VAULT: join(directory, 'sealed') };
    const passphrase = { HOLDFAST_PASSPHRASE: 'correct horse' };
    expect(json(await run(['init', '--json'], { ...sealed, ...passphrase }))).toMatchObject({
      passphrase: true,
    });
    const without = await run(['phrase', '--json'], sealed);
    expect(without.code).toBe(EXIT.keys);
    expect(json(without)).toMatchObject({ error: { hint: expect.stringContaining('HOLDFAST_PASSPHRASE') } });
    expect((await run(['phrase'], { ...sealed, HOLDFAST_PASSPHRASE: 'wrong' })).code).toBe(EXIT.keys);
    const shown = json(await run(['phrase', '--json'], { ...sealed, ...passphrase }));
    expect(String(shown.recoveryPhrase).split(' ')).toHaveLength(24);

    const key = join(sealed.HOLDFAST_VAULT, 'keys', 'root.key');
    const restore = (input: string) => holdfast(['phrase', '--restore', '--json'], { env: sealed, input });
    expect(json(await restore(String(shown.recoveryPhrase)))).toMatchObject({
      error: { code: 'ALREADY_EXISTS' },
    });
    await rename(key, `${key}.old`);
    expect(json(await restore('abandon ability'))).toMatchObject({ error: { code: 'KEY_WRONG' } });
    const fingerprint = /[0-9a-f]{4}(-[0-9a-f]{4}){3}/.exec(await readFile(`${key}.old`, 'utf8'))![0];
    expect(json(await restore(String(shown.recoveryPhrase)))).toEqual({ fingerprint, path: key });
    expect(json(await run(['phrase', '--json'], sealed))).toEqual(shown);
  });

  it('takes the passphrase from a file only if it is private', async () => {
    const file = join(directory, 'passphrase');
    await writeFile(file, 'battery staple\n', { mode: 0o644 });
    const env = { HOLDFAST_VAULT: join(directory, 'from-file'), HOLDFAST_PASSPHRASE_FILE: file };
    const refused = await run(['init', '--json'], env);
    expect(refused.code).toBe(EXIT.keys);
    expect(json(refused)).toMatchObject({ error: { hint: expect.stringContaining('chmod 600') } });
  });
});

describe('sources', () => {
  it('are added, listed, tested and removed', async () => {
    const path = join(directory, 'app.db');
    new DatabaseSync(path).exec('create table t (a); insert into t values (1)');
    expect(json(await run(['source', 'add', 'app', 'sqlite', 'app.db', '--json']))).toEqual({
      source: { name: 'app', kind: 'sqlite', path },
    });
    const listed = await run(['source', 'list', '--json']);
    expect(JSON.parse(listed.stdout)).toEqual([{ name: 'app', kind: 'sqlite', path }]);
    expect(json(await run(['source', 'test', '--json']))).toMatchObject({
      sources: [{ name: 'app', ok: true }],
    });
    expect(json(await run(['source', 'remove', 'app', '--json']))).toEqual({ removed: 'app' });
  });

  it('that cannot be read make the test fail, by name', async () => {
    await run(['source', 'add', 'gone', 'sqlite', 'gone.db', '--quiet']);
    const tested = await run(['source', 'test', '--json']);
    expect(tested.code).toBe(EXIT.local);
    expect(json(tested)).toMatchObject({
      sources: [{ name: 'gone', ok: false }],
      error: { code: 'SOURCE_UNREADABLE' },
    });
    await run(['source', 'remove', 'gone']);
  });

  it.each([
    ['a b', 'stdin'],
    ['x', 'oracle'],
    ['x', 'sqlite'],
    ['x', 'stdin', '/path'],
    ['x', 'sqlite', 'a.db', '--exclude', 'y'],
  ])('of a wrong form are refused: %j', async (...args) => {
    expect((await run(['source', 'add', ...args])).code).toBe(EXIT.usage);
  });
});

describe('mistakes', () => {
  it.each([
    [['bakup'], 'Did you mean backup?'],
    [['backup', '--taq', 'x'], 'Did you mean --tag?'],
    [['restore', 'latest'], '--help'],
    [['backup'], 'source add'],
    [['backup', 'nothing'], 'source add'],
    [['verify', '--sample', '200%'], '10%'],
    [['snapshots', 'extra'], '--help'],
    [['lab', 'status'], 'lab up'],
    [['peers', 'remove', 'nobody'], 'holdfast peers'],
    [['peers', 'admit', 'rubbish', '--address', 'nowhere'], 'host:port'],
    [['restore', 'latest', '--to', '-'], '--to -'],
    [['show', 'latest'], 'holdfast backup'],
  ])('%j: one JSON value, exit code 2, and a hint', async (args, hint) => {
    const ran = await run([...args, '--json']);
    expect(ran.code).toBe(EXIT.usage);
    const { error } = json(ran) as {
      error: { code: string; message: string; hint: string; details: object };
    };
    expect(Object.keys(error)).toEqual(['code', 'message', 'hint', 'details']);
    expect(`${error.message} ${error.hint}`).toContain(hint);
  });

  it('in the configuration are told with line and nearest key', async () => {
    const path = join(vault, 'holdfast.yaml');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('leaseDays:', 'leaseDay:'));
    const ran = await run(['snapshots']);
    await writeFile(path, text);
    expect(ran.code).toBe(EXIT.usage);
    expect(ran.stderr).toMatch(/line \d+: unknown key "leaseDay" in policy; did you mean "leaseDays"\?/);
    expect(ran.stderr).toContain('[CONFIG_INVALID]');
  });

  it('without a vault say how to make one', async () => {
    const ran = await run(['snapshots'], { HOLDFAST_VAULT: join(directory, 'nowhere') });
    expect(ran.code).toBe(EXIT.usage);
    expect(ran.stderr).toContain('holdfast init');
  });
});

describe('an empty vault', () => {
  it('has nothing to repair, and is not repaired while somebody writes', async () => {
    const free = await run(['repair', '--json']);
    expect([free.code, json(free)]).toMatchObject([EXIT.ok, { partitions: 0, repairedShards: 0 }]);
    const lock = lockVault(vault);
    const busy = await run(['repair', '--json']);
    lock.release();
    expect([busy.code, json(busy)]).toMatchObject([EXIT.busy, { error: { code: 'BUSY' } }]);
  });

  it('has no snapshots', async () => {
    const ran = await run(['snapshots', '--json']);
    expect([ran.code, JSON.parse(ran.stdout)]).toEqual([EXIT.ok, []]);
  });

  it('says that nothing is backed up, and what is missing', async () => {
    const status = json(await run(['status', '--json']));
    expect(status).toMatchObject({
      vault,
      peers: { active: 0, reachable: 0, unreachable: [] },
      snapshots: 0,
      margin: { wanted: 2, least: null },
      unfinishedPartitions: 0,
      warnings: [expect.stringContaining('need 5 peers')],
    });
    expect((await run(['status'])).stdout).toContain('Nothing is backed up yet');
  });

  it('has no colours in a pipe, nor where NO_COLOR forbids them', async () => {
    expect((await run(['status'])).stdout).not.toContain('\u001b[');
    expect((await run(['status'], { FORCE_COLOR: '1' })).stdout).toContain('\u001b[');
    expect((await run(['status'], { FORCE_COLOR: '1', NO_COLOR: '1' })).stdout).not.toContain('\u001b[');
  });
});
