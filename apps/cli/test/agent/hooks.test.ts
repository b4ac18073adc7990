import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandHook, callCommand } from '../../src/agent/hooks/command-hook.ts';
import { type HookFacts, hookEnvironment } from '../../src/agent/hooks/hook-facts.ts';
import { callAddress } from '../../src/agent/hooks/web-hook.ts';

const FACTS: HookFacts = {
  event: 'failure',
  vault: '/vault',
  task: 'backup:app',
  source: 'app',
  slot: '2026-11-20T10:30:00.000Z',
  attempt: 2,
  startedAt: '2026-11-20T10:30:01.000Z',
  endedAt: '2026-11-20T10:30:02.500Z',
  seconds: 1.5,
  snapshot: null,
  errorCode: 'SOURCE_UNREADABLE',
  errorMessage: 'Cannot read it.\n$(touch /tmp/should-not-be)',
  errorHint: null,
  willRetry: false,
  facts: { deep: { er: 1 } },
};

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-hooks-'));
});
afterAll(() => rm(directory, { recursive: true }));

const never = new AbortController().signal;

async function call(
  run: CommandHook['run'],
  more: Partial<CommandHook> = {},
  signal = never,
): Promise<string[]> {
  const lines: string[] = [];
  await callCommand({ run, timeout: 20_000, environment: [], ...more }, FACTS, signal, (line) =>
    lines.push(line),
  );
  return lines;
}

async function failure(calling: Promise<unknown>): Promise<HoldfastError> {
  const error = await calling.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (HoldfastError.is(error, 'HOOK_FAILED')) return error;
  return expect.unreachable(`it should have failed: ${error}`);
}

const gone = async (pid: number): Promise<boolean> => {
  for (let i = 0; i < 200; i++) {
    try {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
      if (/\) Z /.test(stat)) return true;
    } catch {
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
};

describe('a command', () => {
  it('given as a list is not touched by a shell, and gets the facts as JSON', async () => {
    expect(await call(['/bin/echo', '$HOME', '*; false'])).toEqual(['$HOME *; false']);
    expect(JSON.parse((await call(['/bin/cat']))[0]!)).toEqual(FACTS);
  });

  it('given as text goes to the shell, with the facts in its environment', async () => {
    const lines = await call(
      'echo "$HOLDFAST_ERROR_CODE in $HOLDFAST_SOURCE, $HOLDFAST_WILL_RETRY"; echo err >&2',
    );
    expect(lines.sort()).toEqual(['SOURCE_UNREADABLE in app, false', 'err'].sort());
  });

  it('that reads nothing of what it is told, and says nothing, is well', async () => {
    expect(await call(['/bin/true'])).toEqual([]);
  });

  it('fails with its exit code, by its signal, or because it is not there', async () => {
    expect((await failure(call('exit 3'))).message).toContain('exit code 3');
    expect((await failure(call('kill -9 $$'))).message).toContain('SIGKILL');
    expect((await failure(call(['/nonexistent/program']))).message).toContain('ENOENT');
  });

  it('that takes too long dies with its children', async () => {
    const file = join(directory, 'pids');
    const hanging = call(`sleep 60 & echo $! > ${file}; sleep 60`, { timeout: 400 });
    const error = await failure(hanging);
    expect(error.message).toContain('longer than');
    expect(await gone(Number(await readFile(file, 'utf8')))).toBe(true);
  });

  it('dies when the run is stopped', async () => {
    const controller = new AbortController();
    const running = failure(call('sleep 60', {}, controller.signal));
    setTimeout(() => controller.abort(), 100);
    expect((await running).message).toContain('stopped');
  });

  it('may leave something running that keeps its outputs open', async () => {
    const file = join(directory, 'left');
    expect(await call(`sleep 30 & echo $! > ${file}; echo done`)).toEqual(['done']);
    process.kill(Number(await readFile(file, 'utf8')));
  });

  it('that never stops talking is not listened to for ever', async () => {
    const lines = await call('yes "more and more" | head -c 3000000');
    expect(lines.length).toBeLessThan(10_000);
    expect(lines.at(-1)).toContain('left out');
  });
});

describe('the environment of a hook', () => {
  it('has facts and what was asked for, and nothing else of the agent', () => {
    const own = { PATH: '/bin', HOLDFAST_PASSPHRASE: 'secret', PGPASSWORD: 'secret', WANTED: 'yes' };
    const environment = hookEnvironment(FACTS, ['WANTED', 'ABSENT'], own);
    expect(environment).toMatchObject({
      PATH: '/bin',
      WANTED: 'yes',
      HOLDFAST_ATTEMPT: '2',
      HOLDFAST_SECONDS: '1.5',
    });
    expect(JSON.stringify(environment)).not.toContain('secret');
    expect(Object.keys(environment)).not.toContain('HOLDFAST_SNAPSHOT');
    expect(Object.keys(environment)).not.toContain('HOLDFAST_FACTS');
  });

  it('runs nothing that an error message says', async () => {
    await call('echo "$HOLDFAST_ERROR_MESSAGE" > /dev/null');
    expect(existsSync('/tmp/should-not-be')).toBe(false);
  });
});

describe('an address', () => {
  const bodies: string[] = [];
  let server: Server;
  let base: string;
  beforeAll(async () => {
    server = createServer(async (request, response) => {
      let text = '';
      for await (const piece of request) text += piece;
      bodies.push(text);
      if (request.url === '/silent') return;
      if (request.url === '/away') response.setHeader('location', 'http://127.0.0.1:1/');
      response.statusCode = { '/ok': 204, '/away': 302 }[request.url!] ?? 500;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('gets the facts', async () => {
    await callAddress({ url: `${base}/ok`, timeout: 20_000 }, FACTS, never);
    expect(JSON.parse(bodies.at(-1)!)).toEqual(FACTS);
  });

  it.each([
    ['/error-secret', 'status 500'],
    ['/away', 'failed'],
    ['/silent', 'in time'],
  ])('that does not take them is a failure: %s', async (path, why) => {
    const error = await failure(
      callAddress({ url: `${base}${path}`, timeout: path === '/silent' ? 300 : 20_000 }, FACTS, never),
    );
    expect(error.message).toContain(why);
    expect(`${error.message} ${JSON.stringify(error.details)}`).not.toContain('secret');
  });

  it('that nobody listens at is named by its host', async () => {
    const error = await failure(
      callAddress({ url: 'http://127.0.0.1:1/secret', timeout: 5000 }, FACTS, never),
    );
    expect(error.message).toContain('127.0.0.1:1');
    expect(error.message).not.toContain('secret');
  });
});
