import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemRandom } from '@holdfast/crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogEvent } from '../../src/agent/log.ts';
import { Memory } from '../../src/agent/memory.ts';
import {
  freshState,
  readState,
  removeLeftovers,
  type SavedState,
  statePath,
  writeState,
} from '../../src/agent/state-file.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-state-'));
});
afterAll(() => rm(directory, { recursive: true }));

const STATE: SavedState = {
  version: 1,
  seed: '00112233445566778899aabbccddeeff',
  tasks: {
    'backup:app': {
      schedule: 'every 900000',
      settled: 1_800_000,
      pending: { slot: 1_800_000, attempt: 0, late: true, order: 3 },
      running: null,
      retry: { slot: 900_000, attempt: 2, late: false, at: 1_900_000, wait: 60_000 },
      next: 1_800_001,
      record: {
        since: 1,
        lastStart: 2,
        lastSuccess: { startedAt: 2, endedAt: 3, snapshot: 'abc' },
        lastFailure: { startedAt: 1, endedAt: 2, code: 'PEER_TIMEOUT', message: 'no', hint: null },
        failures: 0,
      },
    },
  },
};

describe('the state file', () => {
  it('gives back what was written, to its user only', async () => {
    await writeState(directory, STATE);
    expect(await readState(directory)).toEqual({ state: STATE, damage: null });
    expect((await stat(statePath(directory))).mode & 0o077).toBe(0);
  });

  it('that is not there is no damage', async () => {
    expect(await readState(join(directory, 'elsewhere'))).toEqual({ state: null, damage: null });
  });

  it('that is cut, changed or nonsense is damage, never an error', async () => {
    const text = JSON.stringify(STATE);
    const spoilt = fc.oneof(
      fc.nat(text.length - 1).map((length) => text.slice(0, length)),
      fc.json(),
      fc.string(),
      fc
        .tuple(
          fc.constantFrom('settled', 'seed', 'tasks', 'record', 'failures', 'version'),
          fc.constantFrom('-1.5', '{}', '"x"'),
        )
        .map(([name, value]) =>
          text.replace(new RegExp(`"${name}":("[^"]*"|\\{|\\d+)`), `"${name}":${value}`),
        ),
    );
    await mkdir(dirname(statePath(directory)), { recursive: true });
    await fc.assert(
      fc.asyncProperty(spoilt, async (content) => {
        await writeFile(statePath(directory), content);
        const { state, damage } = await readState(directory);
        expect([state, damage].filter((one) => one === null)).toHaveLength(1);
        if (state) expect(state.version).toBe(1);
      }),
      { numRuns: 200 },
    );
  });

  it('is whole whenever its writer is killed', { timeout: 60_000 }, async () => {
    const vault = join(directory, 'killed');
    const module = new URL('../../src/agent/state-file.ts', import.meta.url).href;
    const script = `
      const { writeState } = await import(${JSON.stringify(module)});
      const state = ${JSON.stringify(STATE)};
      for (let i = 0; ; i++) {
        await writeState(${JSON.stringify(vault)}, { ...state, seed: String(i).padStart(32, '0') });
        if (i === 0) process.stdout.write('writing');
      }`;
    for (let kill = 0; kill < 5; kill++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise((resolve) => child.stdout!.once('data', resolve));
      await new Promise((resolve) => setTimeout(resolve, 3 * kill + Math.random() * 3));
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
      expect((await readState(vault)).damage).toBeNull();
    }
    await writeFile(join(vault, 'agent', '.state.json.1.partial'), 'half a st');
    await removeLeftovers(vault);
    expect(await readdir(join(vault, 'agent'))).toEqual(['state.json']);
  });

  it('that cannot be written is a warning, once, and written again when it can be', async () => {
    const vault = join(directory, 'in the way');
    await writeFile(vault, 'a file where a directory should be');
    const events: LogEvent[] = [];
    const memory = new Memory(
      freshState(systemRandom),
      (state) => writeState(vault, state),
      (event) => events.push(event),
    );
    await memory.keep([], { tasks: {}, order: 0 }, 1);
    await memory.keep([], { tasks: {}, order: 0 }, 2);
    expect(events).toMatchObject([{ event: 'state-not-written', level: 'warning' }]);
    await rm(vault);
    await memory.keep([], { tasks: {}, order: 0 }, 3);
    expect((await readState(vault)).state).not.toBeNull();
    expect(await readdir(dirname(statePath(vault)))).toEqual(['state.json']);
  });
});
