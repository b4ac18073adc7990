import { HoldfastError, type Source } from '@holdfast/contracts';
import type { Log } from '../agent/log.ts';
import { RunEvents } from '../output/run-events.ts';
import type { OpenVault } from '../vault/open.ts';
import { appendFacts } from './fact-file.ts';
import { type Physical, physicalName, protectLayout } from './names.ts';
import { notingSource } from './noting-source.ts';
import type { SharedVault } from './shared-vault.ts';

export interface SnapshotStoreOptions {
  readonly vault: string;
  readonly source: string;
  readonly shared: SharedVault;
  readonly log: Log;
}

/** Stores what protection gives as snapshots, and keeps what they are good for. */
export class SnapshotStore {
  readonly #options: SnapshotStoreOptions;
  /** The newest stored of each. */
  readonly newest: Partial<Record<Physical, string>> = {};

  constructor(options: SnapshotStoreOptions) {
    this.#options = options;
  }

  store(source: Source, what: Physical, signal: AbortSignal): Promise<void> {
    return this.#options.shared.use((opened) => this.#store(opened, source, what, signal), signal);
  }

  async #store(opened: OpenVault, source: Source, what: Physical, signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    const { source: read, noted } = notingSource(source);
    const events = new RunEvents(
      {
        note: (message) => log({ event: 'store-note', what, message }),
        warn: (message) => log({ event: 'store-warning', level: 'warning', what, message }),
      },
      await opened.peerNames(),
    );
    const { snapshot, problems } = await opened.engine.backup({
      name: physicalName(this.#options.source, what),
      source: read,
      tags: [],
      reread: false,
      signal,
      onEvent: events.tell,
    });
    if (!snapshot.complete)
      throw new HoldfastError(
        'INCOMPLETE',
        `The snapshot lacks what could not be read: ${problems[0]?.message ?? ''}`,
      );
    this.newest[what] = snapshot.id;
    const attributes = noted();
    if (attributes) await this.#keep({ id: snapshot.id, kind: snapshot.sourceKind, attributes });
  }

  /** The snapshot is stored, whatever becomes of this. */
  async #keep(facts: Parameters<typeof appendFacts>[1][number]): Promise<void> {
    const { vault, source, log } = this.#options;
    await appendFacts(protectLayout(vault, source).facts, [facts]).catch((error: Error) =>
      log({
        event: 'facts-not-written',
        level: 'warning',
        message: `${error.message} What the snapshot is good for will be read from its manifest.`,
      }),
    );
  }
}
