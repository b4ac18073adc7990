import type { BackupReport, BackupRequest, EngineContext } from '../api.ts';
import { Turns } from '../flow/turns.ts';
import { BackupRun } from './backup-run.ts';

/**
 * Takes snapshots: source → chunks → partitions → shards on peers → manifest → head. Several sources at the same time, but
 * the history that all snapshots stand in grows by one at a time; and each source has one backup at a time.
 */
export class BackupManager {
  readonly #context: EngineContext;
  readonly #history = new Turns();
  readonly #sources = new Map<string, Turns>();

  constructor(context: EngineContext) {
    this.#context = context;
  }

  backup(request: BackupRequest): Promise<BackupReport> {
    const turns = this.#sources.get(request.name) ?? new Turns();
    this.#sources.set(request.name, turns);
    return turns.take(() => new BackupRun(this.#context, request, this.#history).execute());
  }
}
