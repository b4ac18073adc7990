import type { HoldfastError } from '@holdfast/contracts';
import type pg from 'pg';
import { COPY_HEADER_BYTES, CopyIn } from './copy-in.ts';
import { targetError } from './server-errors.ts';

/** What rows are loaded into. One `COPY` of it per connection that is free to take some. */
export interface CopyTarget {
  /** For messages. */
  readonly name: string;
  /** `COPY … FROM STDIN …` */
  readonly sql: string;
  readonly binary: boolean;
}

interface Lane {
  readonly client: pg.Client;
  busy: boolean;
  open: { readonly target: CopyTarget; readonly copy: CopyIn } | null;
}

/** A connection for some whole rows, which may be cut anywhere between messages. */
export interface HeldLane {
  /** Resolves when the message before has been sent; `sent` is called when this one's buffer is free again. */
  send(message: Buffer, sent: () => void): Promise<void>;
  /** For others, once everything has been sent. At the end of a row. */
  release(): void;
}

/**
 * Connections that load rows side by side. Whoever has rows gets the lane that is free first, best one that copies
 * into the same table already; so a single table's rows spread over all of them when the server is what is slow.
 */
export class CopyLanes {
  readonly #lanes: readonly Lane[];
  readonly #waiting: (() => void)[] = [];
  readonly #ending = new Set<Promise<void>>();
  #failure: HoldfastError | null = null;

  constructor(clients: readonly pg.Client[]) {
    this.#lanes = clients.map((client) => ({ client, busy: false, open: null }));
  }

  async hold(target: CopyTarget): Promise<HeldLane> {
    const lane = await this.#take(target);
    let sending: Promise<void> = Promise.resolve();
    return {
      send: async (message, sent) => {
        await sending;
        this.#throwFailure();
        sending = this.#attempt(target, this.#copyOn(lane, target).send(message)).then(sent);
      },
      release: () => void sending.then(() => this.#release(lane)),
    };
  }

  /** Ends the target's copies in the background; gives the rows that the server took, when asked. */
  end(target: CopyTarget): Promise<number> {
    const lanes = this.#lanes.filter((lane) => lane.open?.target === target);
    const counted = Promise.all(lanes.map((lane) => this.#end(lane)));
    const sum = counted.then((rows) => rows.reduce((a, b) => a + b, 0));
    const tracked: Promise<void> = sum.then(() => undefined).finally(() => this.#ending.delete(tracked));
    this.#ending.add(tracked);
    return sum;
  }

  /** All that was ended is with the server. Throws the first failure. */
  async drain(): Promise<void> {
    await Promise.all(this.#ending);
    this.#throwFailure();
  }

  async #end(lane: Lane): Promise<number> {
    const { target, copy } = lane.open!;
    while (lane.busy) await this.#change();
    lane.busy = true;
    lane.open = null;
    let rows = 0;
    await this.#attempt(
      target,
      copy.finish().then((count) => {
        rows = count;
      }),
    );
    this.#release(lane);
    return rows;
  }

  #copyOn(lane: Lane, target: CopyTarget): CopyIn {
    if (lane.open !== null) return lane.open.copy;
    const copy = new CopyIn(target.sql, target.binary);
    lane.open = { target, copy };
    // A server that stops in the middle says so at once, not when the next batch is sent.
    copy.ended.catch((error: unknown) => this.#fail(target, error));
    lane.client.query(copy);
    return copy;
  }

  async #take(target: CopyTarget): Promise<Lane> {
    for (;;) {
      this.#throwFailure();
      const free = this.#lanes.filter((lane) => !lane.busy);
      const lane = free.find(({ open }) => open?.target === target) ?? free.find(({ open }) => open === null);
      if (lane !== undefined) {
        lane.busy = true;
        return lane;
      }
      await this.#change();
    }
  }

  #release(lane: Lane): void {
    lane.busy = false;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Never rejects: a failure is kept, and everybody hears of it at their next call. */
  async #attempt(target: CopyTarget, work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#fail(target, error);
    }
  }

  #fail(target: CopyTarget, error: unknown): void {
    this.#failure ??= targetError(error, `Cannot load rows into ${target.name}`);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure;
  }
}

/** Room for the message's own header, before the data. */
export const messageBuffer = (dataBytes: number): Buffer =>
  Buffer.allocUnsafeSlow(COPY_HEADER_BYTES + dataBytes);
