import { type Clock, displayPath, isSafePath, type Source, type SourceSnapshot } from '@holdfast/contracts';
import { copySnapshot, readWhole } from '@holdfast/testing/copy-snapshot';
import { type MemorySourceObject, memorySource } from '@holdfast/testing/memory-source';
import { baseInfo } from '../../src/postgres/base/base-info.ts';
import { PhysicalRestore } from '../../src/postgres/wal/restore/physical-restore.ts';
import {
  type BaseSnapshotRef,
  planRecovery,
  type RecoveryPlan,
  type WalSnapshotRef,
} from '../../src/postgres/wal/restore/plan-recovery.ts';
import { parseTarget } from '../../src/postgres/wal/restore/recovery-target.ts';
import { walInfo } from '../../src/postgres/wal/wal-info.ts';

interface Stored {
  readonly attributes: SourceSnapshot['attributes'];
  readonly objects: readonly MemorySourceObject[];
}

/** Keeps snapshots in memory, as the engine would on peers. */
export class Shelf {
  readonly bases: BaseSnapshotRef[] = [];
  readonly wals: WalSnapshotRef[] = [];
  readonly #stored = new Map<string, Stored>();

  async store(source: Source, signal?: AbortSignal): Promise<string> {
    const snapshot = await source.open({ signal });
    try {
      return this.#keep(source.kind, snapshot.attributes, await contents(snapshot, signal));
    } finally {
      await snapshot.close();
    }
  }

  #keep(kind: string, attributes: Stored['attributes'], objects: MemorySourceObject[]): string {
    const id = `${kind}-${this.#stored.size}`;
    this.#stored.set(id, { attributes, objects });
    if (kind === 'postgres-wal') this.wals.push({ ...walInfo(attributes), id });
    else this.bases.push({ ...baseInfo(objects.at(-1)!.attributes!), id });
    return id;
  }

  objects(id: string): readonly MemorySourceObject[] {
    return this.#stored.get(id)!.objects;
  }

  plan(target: string): RecoveryPlan {
    return planRecovery({ bases: this.bases, wals: this.wals, target: parseTarget(target) });
  }

  async restore(plan: RecoveryPlan, path: string, tablespaces?: Map<string, string>): Promise<void> {
    const restore = new PhysicalRestore({
      path,
      overwrite: false,
      recovery: plan,
      ...(tablespaces && { tablespaces }),
    });
    await copySnapshot(await this.#open(plan.base.id), restore.baseSink());
    for (const { id } of plan.wals) await copySnapshot(await this.#open(id), restore.walSink());
    await restore.finish();
  }

  #open(id: string): Promise<SourceSnapshot> {
    const { attributes, objects } = this.#stored.get(id)!;
    return memorySource(objects, { attributes }).open();
  }
}

async function contents(snapshot: SourceSnapshot, signal?: AbortSignal): Promise<MemorySourceObject[]> {
  const objects: MemorySourceObject[] = [];
  const into = new Uint8Array(256 * 1024);
  for await (const { path, kind, attributes, cut, open } of snapshot.objects({ ...(signal && { signal }) })) {
    if (!isSafePath(path)) throw new Error(`unsafe: ${displayPath(path)}`);
    const reader = cut === null ? null : await open();
    const content = reader && (await readWhole(reader, into, signal));
    await reader?.close();
    objects.push({ path, kind, attributes, content, ...(cut && { cut }) });
  }
  return objects;
}

export const realClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  sleep: (milliseconds, { signal } = {}) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal!.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, milliseconds);
      signal?.addEventListener('abort', stop, { once: true });
    }),
};

/** Waits for something that comes by itself. */
export async function until(what: () => boolean | Promise<boolean>, seconds = 60): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await what())) {
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
