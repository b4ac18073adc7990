import { type Clock, cancelled, HoldfastError, throwIfAborted } from '@holdfast/contracts';
import { formatLsn, type Lsn, segmentStart } from './lsn.ts';
import { type CoverageMark, PieceBuilder } from './piece-builder.ts';
import { ReplicationStream, type StreamMessage } from './replication-stream.ts';
import { type ServerFacts, ServerWatch } from './server-watch.ts';
import { SlotGuard } from './slot-guard.ts';
import { findBranch, gapOf, hintOf, needsAHuman } from './stream-troubles.ts';
import type { GapReason, WalEvent } from './wal-events.ts';
import type { WalPiece, WalPosition } from './wal-piece.ts';
import { connectionLost } from './wire/message-reader.ts';
import type { Connect } from './wire/raw-connection.ts';
import { reasonOf } from './wire/server-errors.ts';

export interface WalReceiverOptions {
  readonly connect: Connect;
  readonly clock: Clock;
  /** The replication slot's name; created when it is missing. */
  readonly slot: string;
  /** The slot ends with the connection: nothing is held back on the server, and any interruption may leave a gap. */
  readonly temporary?: boolean;
  /** Behind what is stored; null to begin anew. */
  readonly resume: WalPosition | null;
  /** A piece is closed when its first byte is this old. Milliseconds; default 30 000. */
  readonly maxLag?: number;
  /** … or when it has this many bytes; default 16 MiB. */
  readonly pieceBytes?: number;
  /** An empty piece is given after so long without WAL, to say that nothing happened. Default 10 minutes. */
  readonly idleEvery?: number;
  /** How often the slot is looked at. Default 5 000 ms. */
  readonly watchEvery?: number;
  /** Warn when the server holds back more for the slot; default half of `dropBytes`, or 1 GiB. */
  readonly warnBytes?: number;
  /** Drop the slot when the server holds back more; null (the default) never. */
  readonly dropBytes?: number | null;
  readonly onEvent: (event: WalEvent) => void;
  /** Told every `watchEvery` up to where the server's WAL goes. */
  readonly onMark?: (mark: CoverageMark) => void;
  /** Takes a piece over. Until it resolves nothing more is received: that is the back-pressure. */
  readonly onPiece: (piece: WalPiece, signal: AbortSignal) => Promise<void>;
}

/** What of a piece, or of a snapshot of pieces, says how far storing has come. */
type Confirmed = Pick<WalPiece, 'timeline' | 'chainStart' | 'endLsn'>;

const STATUS_MS = 10_000;
/** Statuses ask for a reply, so a server that lives says something far more often. */
const SILENCE_MS = 45_000;
const RETRY_MS = [250, 1_000, 2_000, 5_000, 10_000, 30_000];

/** Receives WAL through a physical replication slot, for as long as it is let. */
export class WalReceiver {
  readonly #options: WalReceiverOptions;
  readonly #maxLag: number;
  readonly #guard: SlotGuard;
  #position: WalPosition | null;
  #builder: PieceBuilder | null = null;
  #stream: ReplicationStream | null = null;
  #session: AbortController | null = null;
  #confirmed: Lsn;
  #afterGap = false;
  #hurry = false;
  /** Milliseconds waited since the last message. */
  #silence = 0;
  /** Where damaged WAL was asked for once more. */
  #askedAgainAt: Lsn | null = null;
  #wake: () => void = () => {};
  #lastPieceAt = 0;
  #hasConnected = false;
  #lostByUs = false;
  /** Why the slot had to be made again, until WAL has been received through the new one. */
  #slotLost: 'slot-missing' | 'slot-invalidated' | null = null;

  constructor(options: WalReceiverOptions) {
    this.#options = options;
    this.#maxLag = options.maxLag ?? 30_000;
    this.#position = options.resume;
    this.#confirmed = options.resume?.lsn ?? 0n;
    this.#guard = new SlotGuard({
      ...options,
      onMark: (mark) => {
        this.#builder?.mark(mark);
        options.onMark?.(mark);
      },
      onDrop: () => this.#slotDropped(),
    });
  }

  /** Behind all that was received; null before the first connection and behind a gap. */
  get receivedLsn(): Lsn | null {
    return this.#builder?.at ?? this.#position?.lsn ?? null;
  }

  /** What the server holds back for the slot, as far as known. */
  get retainedBytes(): number | null {
    return this.#guard.retainedBytes;
  }

  /** WAL has come that was not given as a piece yet. */
  get holdsBack(): boolean {
    return this.#builder?.since != null;
  }

  /** Gives what has come so far as a piece now, rather than when it is due. */
  flush(): void {
    this.#hurry = true;
    this.#wake();
  }

  /**
   * All pieces up to the end of this one are stored: the server may forget their WAL. One of a timeline that was left, or of
   * before a gap, says nothing about what is received now, whose positions may be lower.
   */
  confirm(piece: Confirmed): void {
    if (!this.isCurrent(piece)) return;
    if (piece.endLsn > this.#confirmed) this.#confirmed = piece.endLsn;
    this.#sendStatus();
  }

  /** Whether what is received now follows this, on the same timeline. */
  isCurrent({ timeline, chainStart }: Confirmed): boolean {
    return this.#position?.timeline === timeline && this.#position.chainStart === chainStart;
  }

  /**
   * Ends only by the signal (CANCELLED), or when the first connection fails for a reason that somebody has to
   * remove; or when the server is another cluster than before (SOURCE_CHANGED). Everything else is tried again.
   */
  async run(signal: AbortSignal): Promise<void> {
    const watching = new AbortController();
    const guard = this.#guard.run(AbortSignal.any([signal, watching.signal])).catch(() => {});
    try {
      for (let failures = 0; ; failures++) {
        throwIfAborted(signal);
        const before = this.receivedLsn;
        const error = await this.#attempt(signal);
        if (signal.aborted) throw cancelled(signal);
        await this.#keepReceived(error, signal);
        if (this.receivedLsn !== before) failures = 0;
        this.#refuseHopeless(error);
        const retryMs = this.#takeGap(error) ? 0 : RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]!;
        this.#tell(error, retryMs);
        await this.#options.clock.sleep(retryMs, { signal });
      }
    } finally {
      watching.abort();
      await guard;
    }
  }

  async #attempt(signal: AbortSignal): Promise<unknown> {
    const session = new AbortController();
    this.#session = session;
    const either = AbortSignal.any([signal, session.signal]);
    const closeStream = (): void => this.#stream?.close();
    either.addEventListener('abort', closeStream);
    try {
      await this.#run(either);
      return null;
    } catch (error) {
      return error;
    } finally {
      either.removeEventListener('abort', closeStream);
      this.#stream?.close();
      this.#stream = null;
      this.#session = null;
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const facts = await this.#prepare(signal);
    await this.#follow(this.#stream!, this.#position!, facts, signal);
  }

  /** Makes sure of server, slot and position; `#stream` can then be started. */
  async #prepare(signal: AbortSignal): Promise<ServerFacts> {
    const watch = await ServerWatch.open(this.#options.connect);
    try {
      const facts = await watch.facts();
      this.#stream = await ReplicationStream.open(this.#options.connect);
      throwIfAborted(signal);
      const server = await this.#stream.identify();
      this.#checkSystem(server.systemId);
      await this.#ensureSlot(this.#stream, watch);
      await this.#begin(this.#stream, watch, server, facts);
      this.#guard.advise(facts);
      return facts;
    } finally {
      watch.close();
    }
  }

  #checkSystem(systemId: bigint): void {
    if (this.#position === null || this.#position.systemId === systemId) return;
    throw new HoldfastError(
      'SOURCE_CHANGED',
      `The server is another cluster (system ${systemId}) than the one protected so far (${this.#position.systemId})`,
      {
        hint: 'Check host and port. If the server was set up anew, protect it under a new source name.',
        details: { reason: 'other-system' },
      },
    );
  }

  async #ensureSlot(stream: ReplicationStream, watch: ServerWatch): Promise<void> {
    const { slot: name, temporary = false, onEvent } = this.#options;
    const { slot } = await watch.moment(name);
    if (slot !== null && slot.walStatus !== 'lost' && !(temporary && slot.activePid === null)) return;
    if (slot !== null) await watch.dropSlot(name);
    if (this.#position !== null && !temporary && !this.#lostByUs) {
      this.#slotLost = slot ? 'slot-invalidated' : 'slot-missing';
      onEvent({ type: 'slot-lost', slot: name, reason: this.#slotLost });
    }
    await stream.createSlot(name, temporary);
    this.#lostByUs = false;
    const made = (await watch.moment(name)).slot;
    onEvent({ type: 'slot-created', slot: name, lsn: made?.restartLsn ?? 0n });
  }

  /** Where to stream from, and the builder for it. */
  async #begin(
    stream: ReplicationStream,
    watch: ServerWatch,
    server: { systemId: bigint; timeline: number },
    facts: ServerFacts,
  ): Promise<WalPosition> {
    if (this.#position === null) {
      const { slot } = await watch.moment(this.#options.slot);
      const lsn = segmentStart(slot?.restartLsn ?? 0n, facts.segmentBytes);
      if (lsn === 0n)
        throw new HoldfastError('SOURCE_UNREADABLE', `The slot ${this.#options.slot} keeps no WAL`, {
          hint: `Drop it: SELECT pg_drop_replication_slot('${this.#options.slot}')`,
        });
      return this.#moveTo(stream, { ...server, lsn, state: null, chainStart: lsn }, facts);
    }
    if (this.#position.timeline !== server.timeline) await this.#branch(stream, server.timeline, facts);
    if (this.#builder === null) await this.#moveTo(stream, this.#position, facts);
    return this.#position;
  }

  /** The server went on without us to another timeline, perhaps from a point behind which we have WAL already. */
  async #branch(stream: ReplicationStream, timeline: number, facts: ServerFacts): Promise<void> {
    const at = this.receivedLsn!;
    const from = this.#position!.timeline;
    const branch = findBranch(
      from,
      timeline,
      await (timeline > 1 ? stream.history(timeline) : new Uint8Array(0)),
    );
    if (branch === null || at <= branch.lsn) return;
    await this.#closePiece(new AbortController().signal);
    this.#options.onEvent({
      type: 'timeline',
      from,
      to: branch.next,
      lsn: branch.lsn,
      abandoned: Number(at - branch.lsn),
    });
    await this.#moveTo(
      stream,
      {
        ...this.#position!,
        timeline: branch.next,
        lsn: segmentStart(branch.lsn, facts.segmentBytes),
        state: null,
      },
      facts,
    );
  }

  async #moveTo(stream: ReplicationStream, position: WalPosition, facts: ServerFacts): Promise<WalPosition> {
    const history = position.timeline > 1 ? await stream.history(position.timeline) : null;
    const { pieceBytes = 16 * 2 ** 20 } = this.#options;
    const { segmentBytes } = facts;
    this.#builder = new PieceBuilder({
      position,
      segmentBytes,
      pieceBytes,
      history,
      afterGap: this.#afterGap,
    });
    this.#afterGap = false;
    if (this.#position?.timeline !== position.timeline) this.#confirmed = 0n;
    this.#position = position;
    return position;
  }

  /** Along one timeline after the other. */
  async #follow(
    stream: ReplicationStream,
    begin: WalPosition,
    facts: ServerFacts,
    signal: AbortSignal,
  ): Promise<void> {
    for (let position = begin; ; ) {
      const builder = this.#builder!;
      let end = await stream.start(this.#options.slot, builder.at, position.timeline);
      this.#hasConnected = true;
      this.#options.onEvent({ type: 'connected', timeline: position.timeline, lsn: builder.at });
      this.#lastPieceAt = this.#options.clock.monotonic();
      end ??= await this.#receive(stream, signal);
      if (end.kind !== 'end') return;
      await this.#closePiece(signal);
      const { nextTimeline: to, switchLsn: lsn } = end;
      this.#options.onEvent({ type: 'timeline', from: position.timeline, to, lsn, abandoned: 0 });
      const next = { ...position, timeline: to, lsn: segmentStart(lsn, facts.segmentBytes), state: null };
      position = await this.#moveTo(stream, next, facts);
    }
  }

  async #receive(stream: ReplicationStream, signal: AbortSignal): Promise<StreamMessage> {
    this.#silence = 0;
    const status = setInterval(() => this.#sendStatus(true), STATUS_MS);
    try {
      for (;;) {
        throwIfAborted(signal);
        if (this.#isDue()) await this.#closePiece(signal);
        const message = stream.ready ? await stream.next() : await this.#nextOrDue(stream, signal);
        if (message !== null) this.#silence = 0;
        if (message?.kind === 'wal') await this.#takeWal(message.start, message.bytes, signal);
        else if (message?.kind === 'keepalive') this.#keepalive(message.replyWanted);
        else if (message?.kind === 'end') return message;
      }
    } finally {
      clearInterval(status);
    }
  }

  #keepalive(replyWanted: boolean): void {
    if (!replyWanted) return;
    // A server that shuts down waits until everything was flushed here. It need not: its slot keeps what we have not
    // stored. With no flush position it looks at what we received.
    const { at } = this.#builder!;
    this.#stream?.status(at, this.#confirmed >= at ? this.#confirmed : 0n, this.#options.clock.now());
    this.#hurry = true;
  }

  async #takeWal(start: Lsn, bytes: Buffer, signal: AbortSignal): Promise<void> {
    const builder = this.#builder!;
    if (start !== builder.at)
      throw new HoldfastError(
        'SOURCE_CHANGED',
        `WAL came from ${formatLsn(start)} where ${formatLsn(builder.at)} was due`,
        { details: { reason: 'jump' } },
      );
    this.#slotLost = null;
    for (let i = 0; i < bytes.length; ) {
      const part = bytes.subarray(i, i + builder.room);
      builder.take(part, this.#options.clock.monotonic());
      i += part.length;
      if (builder.isFull) await this.#closePiece(signal);
    }
  }

  #dueIn(): number {
    const now = this.#options.clock.monotonic();
    const since = this.#builder?.since ?? null;
    if (since !== null) return this.#hurry ? 0 : since + this.#maxLag - now;
    return this.#lastPieceAt + (this.#options.idleEvery ?? 600_000) - now;
  }

  #isDue(): boolean {
    if (this.#builder?.since === null) this.#hurry = false;
    return this.#dueIn() <= 0;
  }

  /** The next message, or null when a piece is due first. */
  async #nextOrDue(stream: ReplicationStream, signal: AbortSignal): Promise<StreamMessage | null> {
    const { clock } = this.#options;
    const settled = new AbortController();
    const wait = Math.min(Math.max(1, this.#dueIn()), STATUS_MS);
    const alarm = clock.sleep(wait, { signal: AbortSignal.any([signal, settled.signal]) }).then(() => null);
    alarm.catch(() => {});
    let woken = false;
    const waking = new Promise<null>((resolve) => {
      this.#wake = () => {
        woken = true;
        resolve(null);
      };
    });
    try {
      const message = await stream.nextBefore(Promise.race([alarm, waking]));
      if (message === null && !woken) this.#silence += wait;
      if (this.#silence > SILENCE_MS) throw connectionLost(`nothing came for ${SILENCE_MS / 1000} s`);
      return message;
    } finally {
      settled.abort();
    }
  }

  async #closePiece(signal: AbortSignal): Promise<void> {
    const builder = this.#builder;
    if (builder === null) return;
    this.#hurry = false;
    this.#lastPieceAt = this.#options.clock.monotonic();
    const piece = builder.close();
    this.#position = positionAfter(piece);
    await this.#options.onPiece(piece, signal);
  }

  /** @param wantsReply so that a server which is gone without a word is noticed. */
  #sendStatus(wantsReply = false): void {
    const at = this.#builder?.at;
    if (at !== undefined) this.#stream?.status(at, this.#confirmed, this.#options.clock.now(), wantsReply);
  }

  #refuseHopeless(error: unknown): void {
    const hopeless = reasonOf(error) === 'other-system' || (!this.#hasConnected && needsAHuman(error));
    if (hopeless) throw error;
  }

  /** The server may never come back: what it sent is not left waiting for more. */
  async #keepReceived(error: unknown, signal: AbortSignal): Promise<void> {
    if (gapOf(error) === 'damaged') this.#builder = null;
    else if (this.#builder !== null && this.#builder.since !== null) await this.#closePiece(signal);
  }

  /** Whether the failure means that WAL is lost; then receiving begins anew. */
  #takeGap(error: unknown): boolean {
    const reason = this.#position === null ? null : gapOf(error);
    if (reason === null || (reason === 'damaged' && this.#mayAskAgain())) return false;
    const cause = reason === 'wal-removed' && this.#slotLost ? this.#slotLost : reason;
    this.#beginAnew(cause, error instanceof Error ? error.message : String(error));
    return true;
  }

  /** It may have been damaged on the way: the server is asked once more for what is behind the last good piece. */
  #mayAskAgain(): boolean {
    const { lsn } = this.#position!;
    const first = this.#askedAgainAt !== lsn;
    this.#askedAgainAt = lsn;
    return first;
  }

  #slotDropped(): void {
    this.#lostByUs = true;
    const piece = this.#builder?.since != null ? this.#builder.close() : null;
    if (piece) {
      this.#position = positionAfter(piece);
      // It is taken over at once; only the wait for room is cut short.
      this.#options.onPiece(piece, AbortSignal.abort()).catch(() => {});
    }
    this.#beginAnew('slot-dropped', 'The slot was dropped because the server kept too much WAL for it.');
    this.#session?.abort(
      new HoldfastError('SOURCE_CHANGED', 'The slot was dropped', { details: { reason: 'slot-dropped' } }),
    );
  }

  #beginAnew(reason: GapReason, message: string): void {
    const from = this.#position?.lsn ?? 0n;
    this.#position = null;
    this.#builder = null;
    this.#slotLost = null;
    this.#confirmed = 0n;
    this.#afterGap = true;
    this.#options.onEvent({ type: 'gap', reason, from, message, hint: hintOf(reason) });
  }

  #tell(error: unknown, retryMs: number): void {
    const message = error instanceof Error ? error.message : String(error);
    const hint = HoldfastError.is(error) ? error.hint : undefined;
    this.#options.onEvent({ type: 'disconnected', message, hint, reason: reasonOf(error), retryMs });
  }
}

const positionAfter = (piece: WalPiece): WalPosition => ({
  systemId: piece.systemId,
  timeline: piece.timeline,
  lsn: piece.endLsn,
  state: piece.state,
  chainStart: piece.chainStart,
});
