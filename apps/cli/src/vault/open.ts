import { mkdir } from 'node:fs/promises';
import { systemRandom, VaultKeys } from '@holdfast/crypto';
import { type Engine, HoldfastEngine } from '@holdfast/engine';
import { systemClock } from '@holdfast/node';
import { vaultLayout } from './layout.ts';
import { type OpenOptions, type OpenSwarm, openSwarm } from './open-swarm.ts';
import { enginePolicy } from './placement-policy.ts';
import { readRoot } from './root.ts';

/** Everything that work on a vault's data needs. */
export interface OpenVault extends OpenSwarm {
  /** With its worker threads; ended with the vault. */
  readonly engine: Engine;
  /** Under which rows are summed, in indexes and in drills. 32 bytes. */
  readonly rowKey: Uint8Array;
}

export async function openVault(directory: string, options: OpenOptions = {}): Promise<OpenVault> {
  await using cleanup = new AsyncDisposableStack();
  const swarm = cleanup.use(await openSwarm(directory, options));
  const root = await readRoot(directory, options);
  const keys = cleanup.use(VaultKeys.fromRoot(root));
  root.fill(0);
  const { cache } = vaultLayout(directory);
  await mkdir(cache, { recursive: true, mode: 0o700 });
  const { catalog, transport, owner, config } = swarm;
  const engine = await HoldfastEngine.create({
    clock: systemClock,
    random: systemRandom,
    catalog,
    transport,
    keys,
    owner,
    policy: await enginePolicy(directory, config, await catalog.peers()),
    cacheDirectory: cache,
    workers: config.performance.workers,
  });
  cleanup.adopt(engine, (running) => running.close());
  const opened = cleanup.move();
  return { ...swarm, engine, rowKey: keys.rowKey(), [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
