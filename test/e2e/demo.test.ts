import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const DEMO = fileURLToPath(new URL('../../tools/demo/main.ts', import.meta.url));

it('the demo keeps every promise, and leaves nothing behind', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-e2e-demo-'));
  try {
    const env = { ...process.env, TMPDIR: directory };
    const { stdout } = await promisify(execFile)(process.execPath, [DEMO, '--json'], { env });
    const outcome = JSON.parse(stdout);
    expect(outcome).toMatchObject({
      identical: true,
      asPromised: true,
      separationViolations: 0,
      operatorViolations: 0,
      unexplainedShards: 0,
      peersKilled: 2,
    });
    expect(outcome.shardsCorrupted).toBeGreaterThan(0);
    expect(outcome.bytesSource).toBeGreaterThan(200 * 2 ** 20);
    expect(outcome.bytesStored).toBeGreaterThan(0);
    // Node itself may keep a cache of compiled code there.
    expect((await readdir(directory)).filter((name) => name.startsWith('holdfast'))).toEqual([]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
