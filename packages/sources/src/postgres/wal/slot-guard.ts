import { type Clock, throwIfAborted } from '@holdfast/contracts';
import type { CoverageMark } from './piece-builder.ts';
import { type ServerFacts, type ServerMoment, ServerWatch } from './server-watch.ts';
import type { WalEvent } from './wal-events.ts';
import type { Connect } from './wire/raw-connection.ts';

export interface SlotGuardOptions {
  readonly connect: Connect;
  readonly clock: Clock;
  readonly slot: string;
  readonly watchEvery?: number;
  readonly warnBytes?: number;
  readonly dropBytes?: number | null;
  readonly onEvent: (event: WalEvent) => void;
  readonly onMark: (mark: CoverageMark) => void;
  /** The slot is about to be dropped: whoever reads from it must stop. */
  readonly onDrop: () => void;
}

const GIB = 2 ** 30;
const WATCH_MS = 5_000;
const ANSWER_MS = 30_000;
/** A warning is repeated when the WAL kept back has grown by half. */
const AGAIN = 1.5;

/** Looks at the slot from the side: how much WAL the server keeps for it, and up to where its WAL is known to be. */
export class SlotGuard {
  readonly #options: SlotGuardOptions;
  #warnedAt = 0;
  #advised = false;
  #retained: number | null = null;

  constructor(options: SlotGuardOptions) {
    this.#options = options;
  }

  get retainedBytes(): number | null {
    return this.#retained;
  }

  /** Until the signal fires. A server that cannot be asked is the receiver's to report. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, watchEvery = WATCH_MS } = this.#options;
    for (;;) {
      throwIfAborted(signal);
      await this.#watch(signal).catch(() => {});
      this.#retained = null;
      await clock.sleep(watchEvery, { signal });
    }
  }

  /** Until the connection fails. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { clock, connect, watchEvery = WATCH_MS } = this.#options;
    const watch = await ServerWatch.open(connect);
    try {
      for (;;) {
        await this.#inTime(this.#look(watch), signal);
        await clock.sleep(watchEvery, { signal });
      }
    } finally {
      watch.close();
    }
  }

  /** A server that is gone without a word would be waited for until the system gives up. */
  async #inTime(looking: Promise<void>, signal: AbortSignal): Promise<void> {
    const settled = new AbortController();
    const late = this.#options.clock
      .sleep(ANSWER_MS, { signal: AbortSignal.any([signal, settled.signal]) })
      .then(() => Promise.reject(new Error('no answer')));
    late.catch(() => {});
    looking.catch(() => {});
    try {
      await Promise.race([looking, late]);
    } finally {
      settled.abort();
    }
  }

  advise(facts: ServerFacts): void {
    if (this.#advised || facts.slotKeepBytes !== null || this.#options.dropBytes) return;
    this.#advised = true;
    const message =
      'The server keeps WAL for the slot without limit: should Holdfast stop, its disk fills up. Set max_slot_wal_keep_size in postgresql.conf to what the disk can spare.';
    this.#options.onEvent({ type: 'advice', message });
  }

  async #look(watch: ServerWatch): Promise<void> {
    const { clock, slot: name } = this.#options;
    const local = clock.monotonic();
    const moment = await watch.moment(name);
    // A standby does not know how far its primary is.
    if (!moment.inRecovery) this.#options.onMark({ lsn: moment.lsn, server: moment.time, local });
    if (moment.slot?.restartLsn == null) {
      this.#retained = null;
      return;
    }
    this.#retained = Math.max(0, Number(moment.lsn - moment.slot.restartLsn));
    await this.#judge(watch, moment, this.#retained);
  }

  async #judge(watch: ServerWatch, { slot }: ServerMoment, retainedBytes: number): Promise<void> {
    const { slot: name, dropBytes = null, onEvent } = this.#options;
    const warnBytes = this.#options.warnBytes ?? (dropBytes === null ? GIB : dropBytes / 2);
    if (dropBytes !== null && retainedBytes > dropBytes) {
      onEvent({ type: 'slot-dropped', slot: name, retainedBytes, limitBytes: dropBytes });
      this.#options.onDrop();
      await watch.dropSlot(name);
      this.#warnedAt = 0;
      return;
    }
    const worrying = retainedBytes > warnBytes || slot!.walStatus === 'unreserved';
    if (!worrying) this.#warnedAt = 0;
    if (!worrying || retainedBytes < this.#warnedAt * AGAIN) return;
    this.#warnedAt = retainedBytes;
    const { safeBytes, walStatus } = slot!;
    onEvent({ type: 'slot-growth', slot: name, retainedBytes, limitBytes: dropBytes, safeBytes, walStatus });
  }
}
