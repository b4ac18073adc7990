import { HoldfastError } from '@holdfast/contracts';
import type { TupleIntake } from '../rows/tuple-intake.ts';
import type { CopyOut } from './copy-out.ts';
import { Discard } from './discard.ts';
import { type Seam, SeamFilter } from './seam-filter.ts';
import { Session, type SessionOptions } from './session.ts';

/** One COPY that is to be made. */
export interface Fetch {
  readonly sql: string;
  /** The object it reads, for errors. */
  readonly what: string;
  readonly seam: Seam | null;
}

interface Running {
  readonly session: Session;
  readonly copy: CopyOut;
  claimed: boolean;
}

interface Waiter {
  readonly fetch: Fetch;
  resolve(copy: CopyOut): void;
  reject(error: unknown): void;
}

/** What a COPY that was given up is rolled back to: the snapshot and the locks stay. */
const SAVEPOINT = 'rows';
const SCRATCH_BYTES = 1024 * 1024;

/**
 * Lends the reading connections to COPYs: first to those that somebody waits for, then, ahead of time, to those that will
 * be asked for next. What is read ahead stands still once its few MiB are full.
 */
export class ReaderPool {
  readonly #leader: Session;
  readonly #sessions: readonly Session[];
  readonly #options: SessionOptions;
  readonly #free: Session[] = [];
  readonly #running = new Map<Fetch, Running>();
  readonly #urgent: Waiter[] = [];
  readonly #abandoning = new Set<Promise<void>>();
  #ahead: Fetch[] = [];
  #closed = false;

  private constructor(leader: Session, sessions: readonly Session[], options: SessionOptions) {
    this.#leader = leader;
    this.#sessions = sessions;
    this.#free.push(...sessions);
    this.#options = options;
  }

  static async create(
    leader: Session,
    sessions: readonly Session[],
    options: SessionOptions,
  ): Promise<ReaderPool> {
    await Promise.all(sessions.map((session) => session.query(`savepoint ${SAVEPOINT}`, 'the transaction')));
    return new ReaderPool(leader, sessions, options);
  }

  /** Only the leader reads: then it cannot be asked anything between. */
  get isLeaderAlone(): boolean {
    return this.#sessions.includes(this.#leader);
  }

  /** These will be asked for next, in this order, behind those expected already. */
  expect(fetches: readonly Fetch[]): void {
    this.#ahead.push(...fetches);
    this.#pump();
  }

  /** These will be asked for now, in this order, before everything expected so far. */
  expectFirst(fetches: readonly Fetch[]): void {
    this.forget(fetches);
    this.#ahead.unshift(...fetches.filter((fetch) => !this.#running.has(fetch)));
    this.#pump();
  }

  /** These will probably not be asked for. */
  forget(fetches: readonly Fetch[]): void {
    if (fetches.length === 0) return;
    const forgotten = new Set(fetches);
    this.#ahead = this.#ahead.filter((fetch) => !forgotten.has(fetch));
  }

  /** The COPY, begun now if it was not before. Whoever asked ends it by `release`. */
  async demand(fetch: Fetch): Promise<CopyOut> {
    if (this.#closed) throw closedError();
    this.forget([fetch]);
    const running = this.#running.get(fetch);
    if (running) {
      running.claimed = true;
      return running.copy;
    }
    const copy = new Promise<CopyOut>((resolve, reject) => this.#urgent.push({ fetch, resolve, reject }));
    if (this.#free.length === 0) this.#makeRoom();
    this.#pump();
    return copy;
  }

  /**
   * Nobody wants more of it: its connection is used for others, at once if it has ended.
   * @param intake what it was given to so far
   */
  release(fetch: Fetch, intake: TupleIntake | null = null): void {
    this.forget([fetch]);
    const waiting = this.#urgent.findIndex((each) => each.fetch === fetch);
    if (waiting >= 0) this.#urgent.splice(waiting, 1);
    const running = this.#running.get(fetch);
    if (!running || this.#closed) return;
    this.#running.delete(fetch);
    if (running.copy.ended && !running.copy.failed) {
      this.#giveBack(running.session);
      return;
    }
    const abandoning = this.#abandon(fetch, running, intake).finally(() =>
      this.#abandoning.delete(abandoning),
    );
    this.#abandoning.add(abandoning);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const { reject } of this.#urgent.splice(0)) reject(closedError());
    const busy = Array.from(this.#running.values(), ({ session }) => session);
    // A server that sorts would otherwise notice only when it sends the first row.
    for (const session of busy) if (session !== this.#leader && !session.lost) await this.#cancel(session);
    for (const session of busy) session.destroy();
    await Promise.all(this.#abandoning);
    await Promise.all(
      this.#sessions.filter((session) => !busy.includes(session)).map((session) => session.end()),
    );
  }

  #pump(): void {
    if (this.#closed) return;
    while (this.#free.length > 0) {
      const waiter = this.#urgent.shift();
      const fetch = waiter?.fetch ?? this.#ahead.shift();
      if (!fetch) return;
      const session = this.#free.shift()!;
      const copy = session.copy(fetch.sql, fetch.what, fetch.seam && new SeamFilter(fetch.seam));
      this.#running.set(fetch, { session, copy, claimed: waiter !== undefined });
      waiter?.resolve(copy);
    }
  }

  /** Gives up what was read ahead and nobody has asked for yet, the last of them. */
  #makeRoom(): void {
    const unclaimed = Array.from(this.#running).findLast(([, running]) => !running.claimed);
    if (unclaimed) this.release(unclaimed[0]);
  }

  async #abandon(fetch: Fetch, running: Running, intake: TupleIntake | null): Promise<void> {
    const { session, copy } = running;
    try {
      if (!copy.ended && !session.lost) await this.#cancel(session);
      await drain(copy, intake);
    } catch {
      // That it was cancelled is what was wanted. Where rows make no sense, the connection is of no use any more.
      if (!copy.ended) session.destroy();
    }
    try {
      await session.query(`rollback to savepoint ${SAVEPOINT}`, fetch.what);
    } catch {
      // Whoever gets it next is told.
    }
    this.#giveBack(session);
  }

  #giveBack(session: Session): void {
    if (this.#closed) session.destroy();
    else this.#free.push(session);
    this.#pump();
  }

  async #cancel(session: Session): Promise<void> {
    const helper =
      session === this.#leader ? await Session.connect(this.#options).catch(() => null) : this.#leader;
    await helper?.query('select pg_cancel_backend($1)', 'the connection', [session.pid]).catch(() => {});
    if (helper !== this.#leader) await helper?.end();
  }
}

async function drain(copy: CopyOut, intake: TupleIntake | null): Promise<void> {
  const scratch = new Uint8Array(SCRATCH_BYTES);
  const taker = intake ?? new Discard();
  while (!copy.ended) {
    await copy.arrival();
    copy.fill(taker);
    while (intake?.take(scratch));
  }
}

const closedError = (): HoldfastError =>
  new HoldfastError('SOURCE_UNREADABLE', 'The snapshot has been closed', { hint: 'Read before closing it.' });
