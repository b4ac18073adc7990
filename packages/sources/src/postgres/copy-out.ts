import type { Duplex } from 'node:stream';
import type { HoldfastError } from '@holdfast/contracts';
import type { Submittable } from 'pg';
import type { SeamFilter } from './seam-filter.ts';

/** Read ahead of whoever takes rows; then the server has to wait. */
export const MAX_QUEUED = 8 * 1024 * 1024;

/** The first bytes of backend messages. */
const COPY_OUT = 0x48; // H
const NOTICE = 0x4e; // N
const PARAMETER = 0x53; // S
const NOTIFICATION = 0x41; // A
const COPY_DATA = 0x64; // d
const HEADER = 5;

/** What of the driver's connection is used; its own types hide it. */
interface Wire {
  readonly stream: Duplex;
  query(sql: string): void;
}

/** Where messages of rows go: an intake, as a rule. */
export interface RowMessages {
  push(bytes: Uint8Array): number;
  readonly atOther: boolean;
}

type DriverListener = (chunk: Buffer) => void;

type Phase = 'queued' | 'starting' | 'copying' | 'handed-back' | 'ended';

/**
 * `COPY … TO STDOUT`, past the driver: it would make an object of every row. While rows come, the connection's bytes go to
 * the intake as they are; all else goes back to the driver, which then ends the statement in its usual way.
 */
export class CopyOut implements Submittable {
  readonly #sql: string;
  readonly #wrap: (error: unknown) => HoldfastError;
  readonly #seam: SeamFilter | null;
  #phase: Phase = 'queued';
  #wire: Wire | null = null;
  #driver: DriverListener[] = [];
  #chunks: Buffer[] = [];
  #queued = 0;
  #error: HoldfastError | null = null;
  /** Something has come since `fill` last took all it could. */
  #fresh = false;
  #wake: (() => void) | null = null;
  readonly #over = Promise.withResolvers<void>();

  /** @param seam what to leave out, where several COPYs are to look like one. */
  constructor(sql: string, wrap: (error: unknown) => HoldfastError, seam: SeamFilter | null = null) {
    this.#sql = sql;
    this.#wrap = wrap;
    this.#seam = seam;
  }

  /** All rows have been given to the intake, and the connection is free again. */
  get ended(): boolean {
    return this.#phase === 'ended';
  }

  /** Settles, without failing, when the connection is free again or lost. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  get failed(): boolean {
    return this.#error !== null;
  }

  /** Gives the intake what has arrived, as much as it takes. */
  fill(intake: RowMessages): void {
    if (this.#error) throw this.#error;
    if (this.#phase === 'starting') this.#begin();
    this.#fresh = false;
    while (this.#phase === 'copying' && this.#chunks.length > 0) {
      const chunk = this.#chunks[0]!;
      const taken = intake.push(chunk);
      this.#advance(taken);
      if (taken === chunk.length) continue;
      if (!intake.atOther) this.#fresh = true;
      if (!intake.atOther || !this.#other()) break;
    }
    this.#flow();
    if (this.#error) throw this.#error;
  }

  /** Until `fill` has something to do. */
  async arrival(): Promise<void> {
    if (this.#fresh || this.#error || this.#phase === 'ended') return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  // What the driver calls.

  submit(connection: unknown): void {
    this.#wire = connection as Wire;
    const { stream } = this.#wire;
    this.#driver = stream.listeners('data') as DriverListener[];
    stream.removeAllListeners('data');
    this.#phase = 'starting';
    stream.on('data', this.#onData);
    this.#wire.query(this.#sql);
  }

  handleError(error: unknown): void {
    this.#error ??= this.#wrap(error);
    this.#handBack();
    this.#phase = 'ended';
    this.#over.resolve();
    this.#awake();
  }

  handleReadyForQuery(): void {
    this.#phase = 'ended';
    this.#over.resolve();
    this.#awake();
  }

  handleCommandComplete(): void {}
  handleCopyData(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
  handleCopyInResponse(): void {}

  readonly #onData = (chunk: Buffer): void => {
    this.#enqueue(this.#phase === 'copying' && this.#seam ? this.#seam.push(chunk) : [chunk]);
    // An error must be heard of though nobody reads.
    if (this.#phase === 'starting') this.#begin();
    this.#flow();
    this.#awake();
  };

  #enqueue(chunks: readonly Buffer[]): void {
    for (const chunk of chunks) {
      this.#chunks.push(chunk);
      this.#queued += chunk.length;
    }
  }

  #awake(): void {
    this.#fresh = true;
    this.#wake?.();
    this.#wake = null;
  }

  #flow(): void {
    const stream = this.#wire?.stream;
    if (!stream || this.#phase === 'handed-back' || this.#phase === 'ended') return;
    if (this.#queued >= MAX_QUEUED) stream.pause();
    else if (stream.isPaused()) stream.resume();
  }

  #takeQueue(): Buffer[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#queued = 0;
    return chunks;
  }

  #advance(bytes: number): void {
    const chunk = this.#chunks[0]!;
    this.#queued -= bytes;
    if (bytes === chunk.length) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(bytes);
  }

  /** What comes before the first row. */
  #begin(): void {
    while (this.#phase === 'starting' && this.#chunks.length > 0) if (!this.#other()) return;
  }

  /** Deals with a message that is no row. False when not all of it has arrived. */
  #other(): boolean {
    const message = this.#wholeMessage();
    if (message === null) return false;
    if (message === 'not ours') {
      this.#handBack();
      return false;
    }
    if (message[0] === COPY_OUT) {
      this.#phase = 'copying';
      if (this.#seam) this.#enqueue(this.#takeQueue().flatMap((chunk) => this.#seam!.push(chunk)));
      return true;
    }
    for (const listener of this.#driver) listener(message);
    return true;
  }

  /** Takes the first message off the queue, if it is one that may come before or between rows. */
  #wholeMessage(): Buffer | 'not ours' | null {
    let first = this.#chunks[0]!;
    const isOurs = [COPY_OUT, NOTICE, PARAMETER, NOTIFICATION].includes(first[0]!);
    if (!isOurs) return first[0] === COPY_DATA ? null : 'not ours';
    for (;;) {
      const length = first.length < HEADER ? Number.POSITIVE_INFINITY : 1 + first.readUInt32BE(1);
      if (first.length >= length) {
        const message = first.subarray(0, length);
        this.#advance(length);
        return message;
      }
      if (this.#chunks.length === 1) return null;
      first = Buffer.concat(this.#chunks.splice(0, 2));
      this.#chunks.unshift(first);
    }
  }

  /** From here on the driver reads, beginning with what is queued. */
  #handBack(): void {
    const stream = this.#wire?.stream;
    if (!stream || this.#phase === 'handed-back' || this.#phase === 'ended') return;
    this.#phase = 'handed-back';
    stream.off('data', this.#onData);
    for (const listener of this.#driver) stream.on('data', listener);
    const rest = this.#takeQueue();
    for (const chunk of rest) for (const listener of this.#driver) listener(chunk);
    stream.resume();
  }
}
