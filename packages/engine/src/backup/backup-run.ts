import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type Attributes,
  HoldfastError,
  type SnapshotId,
  type SnapshotRecord,
  type SourceProblem,
  type SourceSnapshot,
  toHex,
} from '@holdfast/contracts';
import { capProblems } from '@holdfast/formats';
import type { BackupReport, BackupRequest, EngineContext } from '../api.ts';
import type { Turns } from '../flow/turns.ts';
import { HeadKeeper } from '../manifest/head-keeper.ts';
import { ObjectStream } from '../manifest/object-stream.ts';
import { SnapshotPublisher } from '../manifest/snapshot-publisher.ts';
import { RunContext } from '../run-context.ts';
import { BackupPipeline } from './backup-pipeline.ts';
import { CacheWriter } from './cache-file.ts';
import { nameObjects } from './name-objects.ts';
import { ObjectScan } from './object-scan.ts';
import { PreviousSnapshot } from './previous-snapshot.ts';
import { RowLedger, RowLedgerWriter } from './rows/row-ledger.ts';
import { SnapshotLog } from './snapshot-log.ts';

interface StoredContent {
  readonly attributes: Attributes;
  readonly problems: readonly SourceProblem[];
  readonly log: SnapshotLog;
}

/** One for each source, in the cache directory. */
interface LocalFiles {
  /** What becomes the cache when the backup has succeeded. */
  readonly log: string;
  readonly cache: string;
  readonly stream: string;
  /** The row ledger of a snapshot: told apart by its id, so that none is ever taken for another's. */
  readonly ledger: (snapshot: SnapshotId) => string;
}

/** Behind a source's name: another's may begin with the same letters. */
const LEDGER = /^\.[0-9a-f-]{36}\.rows$/;

/** One backup. Everything it holds lives and ends with its run context. */
export class BackupRun {
  readonly #request: BackupRequest;
  readonly #pipeline: BackupPipeline;
  readonly #run: RunContext;
  readonly #history: Turns;
  readonly #id: SnapshotId;
  readonly #startedAt: number;
  readonly #started: number;
  #log: SnapshotLog | null = null;
  #readBytes = 0;

  /** @param history held while the snapshot takes its place in the owner's history. */
  constructor(context: EngineContext, request: BackupRequest, history: Turns) {
    this.#history = history;
    this.#request = request;
    this.#startedAt = context.clock.now();
    this.#started = context.clock.monotonic();
    this.#id = context.random.uuid() as SnapshotId;
    this.#run = new RunContext(context, request, this.#id);
    this.#pipeline = new BackupPipeline(this.#run, request);
  }

  async execute(): Promise<BackupReport> {
    const { cacheDirectory } = this.#run.engine;
    const path = join(cacheDirectory, encodeURIComponent(this.#request.name));
    const paths = {
      log: `${path}.next`,
      cache: `${path}.cache`,
      stream: `${path}.objects`,
      ledger: (snapshot: SnapshotId) => `${path}.${snapshot}.rows`,
    };
    try {
      await mkdir(cacheDirectory, { recursive: true, mode: 0o700 });
      const report = await this.#takeSnapshot(paths);
      await this.#run.tasks.settle();
      await rename(paths.log, paths.cache);
      await this.#removeLedgers(path, paths.ledger(this.#id));
      return report;
    } catch (error) {
      this.#run.tasks.fail(error);
      await rm(paths.log, { force: true });
      await rm(paths.ledger(this.#id), { force: true });
      // The failure of a task is the cause, and comes first; what broke here because of it is not.
      await this.#run.tasks.settle().catch((failure: unknown) => {
        throw nameObjects(failure, this.#log);
      });
      throw error;
    } finally {
      await this.#run.close(new HoldfastError('CANCELLED', 'The backup has ended.'));
    }
  }

  /** All but one: those of earlier snapshots, and of runs that were killed. */
  async #removeLedgers(path: string, kept: string): Promise<void> {
    const directory = dirname(path);
    for (const name of await readdir(directory)) {
      const found = join(directory, name);
      const isLedger = found.startsWith(`${path}.`) && LEDGER.test(found.slice(path.length));
      if (isLedger && found !== kept) await rm(found, { force: true });
    }
  }

  async #takeSnapshot(paths: LocalFiles): Promise<BackupReport> {
    const { engine, meter, storage, encryption, tasks } = this.#run;
    const { catalog } = engine;
    const id = this.#id;
    meter.phase('prepare');
    await storage.refresh(tasks.signal);
    const heads = new HeadKeeper(this.#run);
    // In a turn: a head that another run has just given to peers would look like that of another copy of the vault.
    const last = await this.#history.take(async () => {
      await heads.reconcile();
      return (await catalog.snapshots()).at(-1) ?? null;
    });
    meter.phase('resume');
    await this.#pipeline.adoption.begin();
    await encryption.stock();
    meter.phase('transfer');
    const stream = await ObjectStream.create(paths.stream);
    try {
      const header = { snapshot: id, sequence: (last?.sequence ?? 0) + 1 };
      const content = await this.#storeContent(paths, stream, header);
      return await this.#history.take(() => this.#publish(content, stream, heads));
    } finally {
      await stream.close();
    }
  }

  /** Others may have been published since this run began: its place is behind the last one. */
  async #publish(content: StoredContent, stream: ObjectStream, heads: HeadKeeper): Promise<BackupReport> {
    const { engine, meter } = this.#run;
    const { catalog, owner } = engine;
    const id = this.#id;
    const previous = (await catalog.snapshots()).at(-1) ?? null;
    const sequence = (previous?.sequence ?? 0) + 1;
    meter.phase('manifest');
    const record = await this.#storeManifest({ id, sequence }, content, previous, stream);
    meter.phase('finish');
    await catalog.commitSnapshot(record);
    const head = { sequence, snapshot: id, manifest: record.manifest, owner };
    return this.#report(record, content.problems, await heads.publish(head));
  }

  /** Reads the source and makes all of its content durable. */
  async #storeContent(
    paths: LocalFiles,
    stream: ObjectStream,
    header: { snapshot: SnapshotId; sequence: number },
  ): Promise<StoredContent> {
    const { source, reread } = this.#request;
    const { engine, tasks, meter } = this.#run;
    const { catalog, keys } = engine;
    const { signal } = tasks;
    const { cursor, patchCursor, intake, survey, book } = this.#pipeline;
    const previous = await PreviousSnapshot.open(paths.cache, catalog, survey);
    const previousLedger = await RowLedger.open(paths.ledger(previous.snapshot ?? header.snapshot));
    const writer = await CacheWriter.create(paths.log, header);
    const ledger = await RowLedgerWriter.create(paths.ledger(header.snapshot));
    let snapshot: SourceSnapshot | null = null;
    try {
      snapshot = await source.open({ signal, rowKey: keys.rowKey() });
      meter.expect(snapshot.estimate.bytes, snapshot.estimate.objects);
      const log = new SnapshotLog({ cache: writer, stream, tasks, relieve: () => this.#pipeline.relieve() });
      this.#log = log;
      const scan = new ObjectScan({
        cursor,
        patchCursor,
        intake,
        log,
        previous,
        ledger,
        previousLedger,
        book,
        chunkIdKey: keys.chunkIdKey(),
        chunkerKey: keys.chunkerKey(),
        reread: reread ?? false,
        signal,
        onRead: (bytes) => {
          this.#readBytes += bytes;
          meter.add({ bytes });
        },
        onObject: (takenOver) => meter.add({ bytes: takenOver, objects: 1 }),
      });
      await scan.run(snapshot);
      const { attributes } = snapshot;
      const problems = withoutRepeats([...snapshot.problems, ...scan.problems]);
      await snapshot.close();
      await this.#pipeline.seal();
      // What follows tells of the content, and is none of its rows.
      book.unlabelled = 'size';
      await log.end();
      await writer.finish();
      await ledger.finish();
      return { attributes, problems, log };
    } finally {
      await snapshot?.close();
      await previous.close();
      await previousLedger.close();
      await ledger.close();
      await writer.close();
    }
  }

  async #storeManifest(
    { id, sequence }: { id: SnapshotId; sequence: number },
    { log, attributes, problems }: StoredContent,
    previous: SnapshotRecord | null,
    stream: ObjectStream,
  ): Promise<SnapshotRecord> {
    const { name, source, tags } = this.#request;
    const { flow, intake } = this.#pipeline;
    const facts = {
      sequence,
      source: name,
      sourceKind: source.kind,
      startedAt: this.#startedAt,
      finishedAt: this.#run.engine.clock.now(),
      complete: problems.length === 0,
      tags: tags ?? [],
      totals: {
        objects: log.objects,
        bytes: log.bytes,
        newBytes: intake.newBytes,
        storedBytes: flow.sentBytes,
        partitions: flow.partitions,
      },
    };
    const manifest = await new SnapshotPublisher(this.#run, this.#pipeline).storeManifest(
      { ...facts, snapshot: id, sourceAttributes: attributes, ...capProblems(problems) },
      previous,
      stream,
      log.partitions,
    );
    // The manifest cannot count itself; the record can.
    const totals = { ...facts.totals, storedBytes: flow.sentBytes, partitions: flow.partitions };
    return { ...facts, totals, id, manifest };
  }

  #report(snapshot: SnapshotRecord, problems: BackupReport['problems'], headPeers: number): BackupReport {
    const { intake, flow, adoption, survey } = this.#pipeline;
    return {
      snapshot,
      problems,
      readBytes: this.#readBytes,
      reusedChunks: intake.reusedChunks,
      newChunks: intake.newChunks,
      shardsSent: flow.shardsSent,
      shardsResumed: adoption.shardsResumed,
      missingShards: survey.missing,
      seconds: (this.#run.engine.clock.monotonic() - this.#started) / 1000,
      headPeers,
      placements: this.#run.shards.placements,
    };
  }
}

/** The source may have told of the same object already, in its own words. */
function withoutRepeats(problems: readonly SourceProblem[]): SourceProblem[] {
  const seen = new Set<string>();
  return problems.filter(({ path }) => {
    const key = toHex(path);
    return !seen.has(key) && seen.add(key);
  });
}
