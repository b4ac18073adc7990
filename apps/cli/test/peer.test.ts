import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../src/exit-codes.ts';
import { formatAddress, parseAddress } from '../src/vault/address.ts';
import { COMMAND, holdfast } from './run-command.ts';

let directory: string;
const run = (...args: string[]) =>
  holdfast(args, {
    env: { HOLDFAST_VAULT: join(directory, 'vault'), HOLDFAST_PEER: join(directory, 'attic') },
  });
async function json(
  ...args: string[]
): Promise<Record<'request' | 'grant', string> & Record<string, unknown>> {
  return JSON.parse((await run(...args, '--json')).stdout);
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-peer-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('a peer set up by hand', { timeout: 60_000 }, () => {
  it('asks, is admitted, serves, and stops with 0', async () => {
    await json('init');
    const facts = ['--name', 'attic', '--operator', 'anna', '--region', 'eu/de/berlin'];
    const { request } = await json('peer', 'init', ...facts);
    expect(request).toMatch(/^hf-request:/);
    expect((await run('peer', 'init', ...facts)).code).toBe(EXIT.usage);
    expect((await run('peer', 'run', '--listen', '127.0.0.1:0')).stderr).toContain('holdfast peer accept');

    expect(await json('peers', 'admit', request)).toMatchObject({
      error: { hint: 'Add --address HOST:PORT.' },
    });
    const address = await freePort();
    const { peer, grant, replaced } = await json(
      'peers',
      'admit',
      request,
      '--name',
      'loft',
      '--address',
      `127.0.0.1:${address}`,
    );
    expect([peer, replaced]).toMatchObject([
      { name: 'loft', operator: 'anna', region: 'eu/de/berlin', port: address },
      false,
    ]);
    expect(await json('peer', 'accept', grant)).toMatchObject({ name: 'loft', operator: 'anna' });

    const args = [
      'peer',
      'run',
      '--listen',
      `127.0.0.1:${address}`,
      '--capacity',
      '1 GiB',
      '--json',
      '--quiet',
    ];
    const server = spawn(process.execPath, [COMMAND, ...args], {
      env: { ...process.env, HOLDFAST_PEER: join(directory, 'attic') },
    });
    const [announced] = (await once(server.stdout, 'data')) as [Buffer];
    expect(JSON.parse(announced.toString())).toMatchObject({
      port: address,
      pid: server.pid,
      capacityBytes: 2 ** 30,
    });

    expect(await json('peers')).toMatchObject([
      { name: 'loft', reachable: true, status: { capacityBytes: 2 ** 30 } },
    ]);
    expect((await run('peers')).stdout).toMatch(/loft +answers +anna +eu\/de\/berlin/);
    server.kill('SIGTERM');
    expect(await once(server, 'exit')).toEqual([EXIT.ok, null]);
  });

  it('is renewed, told a new address, and removed', async () => {
    const { request } = await json('peer', 'request');
    const { peer, replaced } = await json(
      'peers',
      'admit',
      request,
      '--name',
      'loft',
      '--address',
      '127.0.0.1:4401',
    );
    expect([peer, replaced]).toMatchObject([{ name: 'loft', port: 4401 }, true]);
    expect(await json('peers', 'remove', 'lotf')).toMatchObject({ error: { hint: 'Did you mean "loft"?' } });
    expect(await json('peers', 'remove', 'loft')).toMatchObject({
      peer: { state: 'left' },
      leastMargin: null,
    });
    expect(await json('status')).toMatchObject({ peers: { active: 0 } });
  });

  it('refuses what is no request and no grant', async () => {
    for (const text of ['rubbish', 'hf-request:', 'hf-request:AAAA', 'hf-grant:AAAA']) {
      expect((await run('peers', 'admit', text, '--address', 'a:1')).code).toBe(EXIT.damaged);
      expect((await run('peer', 'accept', text)).code).toBe(EXIT.damaged);
    }
  });
});

describe('addresses', () => {
  it.each([
    ['example.net:4400', 'example.net', 4400],
    ['192.0.2.7:1', '192.0.2.7', 1],
    ['[2001:db8::7]:65535', '2001:db8::7', 65_535],
  ])('%s', (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port });
    expect(formatAddress({ host, port })).toBe(text);
  });

  it.each(['example.net', ':4400', 'a:0', 'a:65536', '2001:db8::7:4400', 'a b:1', 'http://a:1', '[]:1'])(
    'not %s',
    (text) => {
      expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    },
  );

  it('port 0 where any will do', () => expect(parseAddress('127.0.0.1:0', { anyPort: true }).port).toBe(0));
});

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
