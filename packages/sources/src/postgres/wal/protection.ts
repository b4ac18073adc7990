import { type Clock, cancelled, HoldfastError, type Source, throwIfAborted } from '@holdfast/contracts';
import type { BaseInfo } from '../base/base-info.ts';
import { postgresBaseSource } from '../base/base-source.ts';
import type { Lsn } from './lsn.ts';
import { PieceQueue } from './piece-queue.ts';
import type { WalEvent } from './wal-events.ts';
import { positionBehind, type WalInfo } from './wal-info.ts';
import type { WalPiece } from './wal-piece.ts';
import { WalReceiver, type WalReceiverOptions } from './wal-receiver.ts';
import { mergedInfo, walSource } from './wal-source.ts';
import type { Connect } from './wire/raw-connection.ts';

export type ProtectionEvent =
  | WalEvent
  | { readonly type: 'base-started' }
  | { readonly type: 'base-stored'; readonly info: BaseInfo; readonly seconds: number }
  /** `lagSeconds`: how old the oldest WAL in it was when it was safe. */
  | { readonly type: 'wal-stored'; readonly info: WalInfo; readonly lagSeconds: number }
  | {
      readonly type: 'store-failed';
      readonly what: 'base' | 'wal';
      readonly message: string;
      readonly hint: string | undefined;
      readonly retryMs: number;
    };

export interface ProtectionOptions
  extends Pick<
    WalReceiverOptions,
    'slot' | 'temporary' | 'maxLag' | 'pieceBytes' | 'idleEvery' | 'watchEvery' | 'warnBytes' | 'dropBytes'
  > {
  readonly connect: Connect;
  readonly clock: Clock;
  /**
   * Stores a source as one snapshot and resolves once it is acknowledged: only then may the server forget the WAL.
   * A base and WAL may be stored at the same time, and WAL should not wait for a base, which may take hours.
   */
  readonly storeSnapshot: (source: Source, what: 'base' | 'wal', signal: AbortSignal) => Promise<void>;
  readonly onEvent: (event: ProtectionEvent) => void;
  /** `walInfo` of the last WAL snapshot that is stored; null to begin anew, with a base. */
  readonly lastWal: WalInfo | null;
  /** `baseInfo` of the last base that is stored; null when there is none. */
  readonly lastBase: BaseInfo | null;
  /** When the next base is due, Unix milliseconds, from when the last one ended. */
  readonly nextBase: (lastBaseAt: number) => number;
  readonly checkpoint?: 'fast' | 'spread';
  readonly connections?: number;
  /** WAL held in memory while it waits to be stored; more waits on the server. Default 64 MiB. */
  readonly bufferBytes?: number;
}

export interface ProtectionStatus {
  readonly receivedLsn: Lsn | null;
  readonly storedLsn: Lsn | null;
  /** What would be lost if the server vanished now: the age of the last moment of which all WAL is stored. Null before the first. */
  readonly lagSeconds: number | null;
  /** WAL that the server holds back for us. */
  readonly lagBytes: number | null;
  readonly lastBaseAt: number | null;
  readonly isTakingBase: boolean;
}

const RETRY_MS = [1_000, 5_000, 15_000, 60_000];
const BASE_LOOK_MS = 5_000;
const DRAIN_LOOK_MS = 50;
const MAX_SNAPSHOT = 256 * 2 ** 20;

/** Streams WAL and takes bases, for as long as it is let, so that any moment since the first base can be restored. */
export class ContinuousProtection {
  readonly #options: ProtectionOptions;
  readonly #queue: PieceQueue;
  readonly #receiver: WalReceiver;
  #storedLsn: Lsn | null;
  /** By our monotonic clock: everything until then is stored. */
  #coveredAt: number | null = null;
  #lastBaseAt: number | null;
  #isTakingBase = false;
  #baseFailures = 0;
  /** Fires when a gap makes a base necessary, or the one being taken useless. */
  #baseNeeded = new AbortController();

  constructor(options: ProtectionOptions) {
    this.#options = options;
    this.#queue = new PieceQueue(options.bufferBytes ?? 64 * 2 ** 20);
    this.#storedLsn = options.lastWal?.endLsn ?? null;
    this.#lastBaseAt = usableBase(options);
    this.#receiver = new WalReceiver({
      ...options,
      resume: options.lastWal ? positionBehind(options.lastWal) : null,
      onEvent: (event) => this.#heard(event),
      onPiece: (piece, signal) => this.#queue.put(piece, signal),
      onMark: ({ lsn, local }) => {
        if (this.#storedLsn !== null && lsn <= this.#storedLsn) this.#coveredAt = local;
      },
    });
  }

  status(): ProtectionStatus {
    const now = this.#options.clock.monotonic();
    return {
      receivedLsn: this.#receiver.receivedLsn,
      storedLsn: this.#storedLsn,
      lagSeconds: this.#coveredAt === null ? null : Math.max(0, now - this.#coveredAt) / 1000,
      lagBytes: this.#receiver.retainedBytes,
      lastBaseAt: this.#lastBaseAt,
      isTakingBase: this.#isTakingBase,
    };
  }

  /** Ends by the signal (CANCELLED), or as `WalReceiver.run` does. Nothing is lost by stopping: the slot keeps the rest. */
  async run(signal: AbortSignal): Promise<void> {
    const either = new AbortController();
    const inner = AbortSignal.any([signal, either.signal]);
    const parts = [this.#receiver.run(inner), this.#storeWal(inner), this.#takeBases(inner)];
    const failure = await Promise.race(
      parts.map((part) =>
        part.then(
          () => null,
          (error: unknown) => error,
        ),
      ),
    );
    either.abort(failure);
    await Promise.allSettled(parts);
    if (signal.aborted) throw cancelled(signal);
    throw failure;
  }

  /** Stores what was received until now without waiting until it is due: before `run` is stopped. CANCELLED. */
  async drain(signal: AbortSignal): Promise<void> {
    const target = this.#receiver.receivedLsn;
    if (target === null) return;
    while (!this.#isStored(target)) {
      this.#receiver.flush();
      await this.#options.clock.sleep(DRAIN_LOOK_MS, { signal });
    }
  }

  #isStored(lsn: Lsn): boolean {
    if (this.#storedLsn !== null && this.#storedLsn >= lsn) return true;
    return this.#queue.isEmpty && !this.#receiver.holdsBack;
  }

  #heard(event: WalEvent): void {
    if (event.type === 'gap') {
      this.#lastBaseAt = null;
      this.#storedLsn = null;
      this.#baseNeeded.abort();
      this.#baseNeeded = new AbortController();
    }
    this.#options.onEvent(event);
  }

  async #storeWal(signal: AbortSignal): Promise<void> {
    for (;;) {
      const pieces = await this.#queue.next(MAX_SNAPSHOT, signal);
      const info = mergedInfo(pieces);
      await this.#persist('wal', walSource(pieces), signal);
      this.#queue.done(pieces);
      this.#receiver.confirm(info);
      if (this.#receiver.isCurrent(info)) this.#advance(info.endLsn, pieces);
      const oldest = pieces[0]!.receivedAt;
      const lagSeconds = oldest === null ? 0 : (this.#options.clock.monotonic() - oldest) / 1000;
      this.#options.onEvent({ type: 'wal-stored', info, lagSeconds });
    }
  }

  #advance(storedLsn: Lsn, pieces: readonly WalPiece[]): void {
    this.#storedLsn = storedLsn;
    const covered = pieces.map(({ coveredAt }) => coveredAt).filter((at) => at !== null);
    this.#coveredAt = covered.at(-1) ?? this.#coveredAt;
  }

  /** Until it is stored. */
  async #persist(what: 'base' | 'wal', source: Source, signal: AbortSignal): Promise<void> {
    for (let failures = 0; ; failures++) {
      try {
        await this.#options.storeSnapshot(source, what, signal);
        return;
      } catch (error) {
        throwIfAborted(signal);
        const retryMs = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]!;
        this.#tellFailure(what, error, retryMs);
        await this.#options.clock.sleep(retryMs, { signal });
      }
    }
  }

  async #takeBases(signal: AbortSignal): Promise<void> {
    const { clock, nextBase } = this.#options;
    for (;;) {
      throwIfAborted(signal);
      const isDue = this.#lastBaseAt === null || nextBase(this.#lastBaseAt) <= clock.now();
      // The slot must stand before a base begins, or WAL of its time could be gone before it is received.
      if (isDue && this.#receiver.receivedLsn !== null) await this.#takeBase(signal);
      else await this.#sleepOrNeeded(this.#lastBaseAt === null ? 100 : BASE_LOOK_MS, signal);
    }
  }

  async #takeBase(signal: AbortSignal): Promise<void> {
    const { clock, onEvent, storeSnapshot, connect, checkpoint, connections } = this.#options;
    const needed = this.#baseNeeded.signal;
    const began = clock.monotonic();
    let info: BaseInfo | null = null;
    const source = postgresBaseSource({
      connect,
      ...(checkpoint && { checkpoint }),
      ...(connections && { connections }),
      onEnd: (end) => {
        info = end;
      },
    });
    this.#isTakingBase = true;
    onEvent({ type: 'base-started' });
    try {
      await storeSnapshot(source, 'base', AbortSignal.any([signal, needed]));
      if (info === null) throw new HoldfastError('INTERNAL', 'The base was stored without being read');
      // WAL of its time is missing: it leads nowhere.
      if (needed.aborted) return;
      this.#baseFailures = 0;
      this.#lastBaseAt = clock.now();
      onEvent({ type: 'base-stored', info, seconds: (clock.monotonic() - began) / 1000 });
    } catch (error) {
      throwIfAborted(signal);
      if (needed.aborted) return;
      const retryMs = RETRY_MS[Math.min(this.#baseFailures++, RETRY_MS.length - 1)]!;
      this.#tellFailure('base', error, retryMs);
      await clock.sleep(retryMs, { signal });
    } finally {
      this.#isTakingBase = false;
    }
  }

  async #sleepOrNeeded(milliseconds: number, signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#baseNeeded.signal]);
    await this.#options.clock.sleep(milliseconds, { signal: either }).catch(() => {});
  }

  #tellFailure(what: 'base' | 'wal', error: unknown, retryMs: number): void {
    const message = error instanceof Error ? error.message : String(error);
    const hint = HoldfastError.is(error) ? error.hint : undefined;
    this.#options.onEvent({ type: 'store-failed', what, message, hint, retryMs });
  }
}

/** When the last base ended, if the WAL behind it is there; without it, it leads nowhere. */
function usableBase({ lastBase, lastWal }: ProtectionOptions): number | null {
  if (lastBase === null || lastWal === null || lastBase.systemId !== lastWal.systemId) return null;
  return lastBase.startLsn >= lastWal.chainStart ? Number(lastBase.stoppedAt / 1000n) : null;
}
