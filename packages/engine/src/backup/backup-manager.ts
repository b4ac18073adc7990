import type { BackupReport, BackupRequest, EngineContext } from '../api.ts';
import { BackupRun } from './backup-run.ts';

/** Takes snapshots: source → chunks → partitions → shards on peers → manifest → head. */
export class BackupManager {
  readonly #context: EngineContext;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  async backup(request: BackupRequest): Promise<BackupReport> {
    const run = new BackupRun(this.#context, request);
    return run.execute();
  }
}
