import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../src/exit-codes.ts';
import { isOurs } from '../src/lab/process-identity.ts';
import { COMMAND, holdfast, type Ran } from './run-command.ts';

interface Peer {
  number: number;
  id: string;
  pid: number;
  port: number;
  running: boolean;
  directory: string;
}

let directory: string;
let files: string;
const run = (...args: string[]): Promise<Ran> =>
  holdfast(args, { cwd: directory, env: { HOLDFAST_VAULT: join(directory, '.holdfast-lab', 'vault') } });

async function json<T>(...args: string[]): Promise<T> {
  const ran = await run(...args, '--json');
  expect(ran.stderr + ran.stdout, args.join(' ')).not.toContain('"error"');
  return JSON.parse(ran.stdout) as T;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-lab-'));
  files = join(directory, 'files');
  await mkdir(files);
  for (let i = 0; i < 20; i++)
    await writeFile(join(files, `f${i}`), Buffer.alloc(50_000 + i * 1000, `text ${i} `));
  await json('lab', 'up', '--peers', '5', '--operators', '5', '--k', '2', '--m', '1');
}, 120_000);

afterAll(async () => {
  await run('lab', 'down');
  await rm(directory, { recursive: true, force: true });
});

describe('a lab', { timeout: 120_000 }, () => {
  it('serves: back up, look, restore', async () => {
    await json('source', 'add', 'files', 'tree', files);
    const { backups } = await json<{ backups: { ok: boolean; snapshot: { id: string } }[] }>(
      'backup',
      '--tag',
      't',
    );
    expect(backups).toMatchObject([
      {
        source: 'files',
        ok: true,
        problems: [],
        headPeers: 5,
        placements: { placed: 3, firstAttempt: 3 },
        snapshot: { tags: ['t'], k: 2, m: 1, helpers: 0 },
      },
    ]);
    const id = backups[0]!.snapshot.id;

    expect(await json('snapshots')).toMatchObject([{ id, source: 'files', complete: true }]);
    const shown = await json<{ objects: object[]; partitions: { shards: { peer: string }[] }[] }>(
      'show',
      id.slice(0, 8),
      '--objects',
      '--partitions',
    );
    expect(shown.objects).toContainEqual(expect.objectContaining({ path: 'f7', kind: 'file', size: 57_000 }));
    for (const { shards } of shown.partitions)
      expect(new Set(shards.map((shard) => shard.peer)).size).toBe(3);
    expect(await json('status')).toMatchObject({
      peers: { active: 5, reachable: 5 },
      snapshots: 1,
      margin: { wanted: 1, least: 1, unrestorablePartitions: [] },
      warnings: [],
    });
    expect(await json('verify')).toMatchObject({ healthy: true, restorable: true, damaged: [], faults: [] });

    const to = join(directory, 'restored');
    expect(await json('restore', 'latest', '--to', to)).toMatchObject({
      snapshot: id,
      to,
      source: 'files',
      faults: [],
    });
    expect(await readFile(join(to, 'f7'))).toEqual(await readFile(join(files, 'f7')));
    const again = await run('restore', 'latest', '--to', to);
    expect([again.code, again.stderr]).toEqual([EXIT.usage, expect.stringContaining('[ALREADY_EXISTS]')]);
  });

  it('shows a dead peer, and brings it back as it was', async () => {
    const before = (await json<{ peers: Peer[] }>('lab', 'status')).peers[1]!;
    expect(await json('lab', 'kill', '2')).toEqual({ killed: ['peer-2'] });
    expect(await isOurs(before.pid, before.directory)).toBe(false);
    const peers = await json<{ name: string; reachable: boolean; problem?: { code: string } }[]>('peers');
    expect(peers.filter((peer) => !peer.reachable)).toMatchObject([
      { name: 'peer-2', problem: { code: 'PEER_UNREACHABLE' } },
    ]);
    expect((await run('status')).stdout).toContain('peer-2 cannot be reached');

    const to = join(directory, 'without-peer-2');
    await json('restore', 'latest', '--to', to);
    expect(await readFile(join(to, 'f19'))).toEqual(await readFile(join(files, 'f19')));

    expect(await json('lab', 'start', '2')).toEqual({ started: ['peer-2'] });
    const after = (await json<{ peers: Peer[] }>('lab', 'status')).peers[1]!;
    expect(after).toMatchObject({ id: before.id, port: before.port, running: true });
    expect(after.pid).not.toBe(before.pid);
    expect(await json('peers')).toMatchObject(Array.from({ length: 5 }, () => ({ reachable: true })));
  });

  it('has rotten shards found by verify, and by nobody else', async () => {
    // Two of three shards of a partition may not rot: whichever peer holds something, only one is touched.
    const holders = await json<{ name: string; status: { ownerShards: number } }[]>('peers');
    const victim = holders.find((peer) => peer.status.ownerShards > 0)!.name.replace('peer-', '');
    const { shards } = await json<{ shards: string[] }>('lab', 'corrupt', victim, '--shards', '1');
    expect((await stat(shards[0]!)).isFile()).toBe(true);
    const verified = await run('verify', '--json');
    expect(verified.code).toBe(EXIT.damaged);
    expect(JSON.parse(verified.stdout)).toMatchObject({
      error: { code: 'VERIFY_FAILED' },
      restorable: true,
      faults: [{ name: `peer-${victim}`, wrongBytes: expect.any(Number) }],
    });
    expect((await run('lab', 'corrupt', victim, '--shards', '100000')).code).toBe(EXIT.usage);
  });

  it('is left in order by Ctrl-C', async () => {
    await json('source', 'add', 'endless', 'stdin');
    const env = { ...process.env, HOLDFAST_VAULT: join(directory, '.holdfast-lab', 'vault') };
    const child = spawn(process.execPath, [COMMAND, 'backup', 'endless', '--json'], { env });
    const output = text(child.stdout);
    const notes = text(child.stderr);
    child.stdin.on('error', () => {});
    for (let i = 0; i < 16; i++) child.stdin.write(randomBytes(2 ** 20));
    const holder = () => readFile(join(env.HOLDFAST_VAULT, 'vault.pid'), 'utf8').catch(() => '');
    while (Number.parseInt(await holder(), 10) !== child.pid) await sleep(20);
    expect((await run('backup', 'files')).code).toBe(EXIT.busy);
    child.kill('SIGINT');
    await once(child, 'exit');
    expect(child.exitCode).toBe(EXIT.cancelled);
    expect(JSON.parse(await output)).toMatchObject({
      error: { code: 'CANCELLED', message: 'Stopped by Ctrl-C.' },
    });
    expect(await notes).toContain('Stopping cleanly after Ctrl-C');
    expect((await run('backup', 'files')).code).toBe(EXIT.ok);
    expect(await json('status')).toMatchObject({ snapshots: 2 });
  });

  it('says when too little is left, by status and by restore', async () => {
    await json('lab', 'kill', '1', '2', '3', '4');
    const status = await run('status', '--json');
    expect([status.code, JSON.parse(status.stdout).error.code]).toEqual([EXIT.unreachable, 'TOO_FEW_SHARDS']);
    const restored = await run('restore', 'latest', '--to', join(directory, 'never'), '--json');
    expect([restored.code, JSON.parse(restored.stdout).error.code]).toEqual([
      EXIT.unreachable,
      'TOO_FEW_SHARDS',
    ]);
    await expect(stat(join(directory, 'never'))).rejects.toThrow();
    const refused = await run('backup', '--reread', '--json');
    expect(refused.code).not.toBe(EXIT.ok);
    expect(JSON.parse(refused.stdout).backups).toMatchObject([{ source: 'files', ok: false }]);
    await json('lab', 'start', '1', '2', '3', '4');
  });

  it('goes down without a trace', async () => {
    const { peers } = await json<{ peers: Peer[] }>('lab', 'status');
    expect((await run('lab', 'up')).code).toBe(EXIT.usage);
    expect(await json('lab', 'down', '--keep')).toMatchObject({ stopped: 5, removed: null });
    await json('lab', 'start', '1');
    expect(await json('lab', 'down')).toMatchObject({ stopped: 1 });
    for (const peer of peers) expect(await isOurs(peer.pid, peer.directory)).toBe(false);
    await expect(stat(join(directory, '.holdfast-lab'))).rejects.toThrow();
    expect((await run('lab', 'status')).code).toBe(EXIT.usage);
  });
});
