import type { Lsn } from './lsn.ts';
import { WalScanner } from './records/wal-scanner.ts';
import type { WalPiece, WalPosition } from './wal-piece.ts';

/** A moment at which the server's WAL was known to end at `lsn`. */
export interface CoverageMark {
  readonly lsn: Lsn;
  /** Microseconds since 1970, by the server's clock. */
  readonly server: bigint;
  /** By our monotonic clock, milliseconds. */
  readonly local: number;
}

/** Marks kept while WAL does not arrive: an hour of one every few seconds. */
const MAX_MARKS = 1000;

/** Gathers what is received into pieces, checking it on the way. */
export class PieceBuilder {
  readonly #scanner: WalScanner;
  readonly #position: WalPosition;
  readonly #segmentBytes: number;
  readonly #pieceBytes: number;
  readonly #history: Uint8Array | null;
  #afterGap: boolean;
  #parts: Buffer[] = [];
  #length = 0;
  #since: number | null = null;
  #marks: CoverageMark[] = [];

  constructor(options: {
    readonly position: WalPosition;
    readonly segmentBytes: number;
    readonly pieceBytes: number;
    readonly history: Uint8Array | null;
    readonly afterGap: boolean;
  }) {
    this.#position = options.position;
    this.#segmentBytes = options.segmentBytes;
    this.#pieceBytes = options.pieceBytes;
    this.#history = options.history;
    this.#afterGap = options.afterGap;
    this.#scanner = new WalScanner({
      ...options.position,
      at: options.position.lsn,
      segmentBytes: options.segmentBytes,
    });
  }

  /** Behind all that was taken. */
  get at(): Lsn {
    return this.#scanner.at;
  }

  get timeline(): number {
    return this.#position.timeline;
  }

  get history(): Uint8Array | null {
    return this.#history;
  }

  /** When the first byte of the piece came; null while it is empty. */
  get since(): number | null {
    return this.#since;
  }

  /** How many bytes fit into the piece that is open. */
  get room(): number {
    const inSegment = Number(this.at % BigInt(this.#segmentBytes));
    return Math.min(this.#segmentBytes - inSegment, this.#pieceBytes - this.#length);
  }

  get isFull(): boolean {
    return (
      this.#length > 0 && (this.#length >= this.#pieceBytes || this.at % BigInt(this.#segmentBytes) === 0n)
    );
  }

  /** @param bytes no more than `room`. SOURCE_CORRUPT. */
  take(bytes: Buffer, now: number): void {
    this.#scanner.push(bytes);
    this.#parts.push(bytes);
    this.#length += bytes.length;
    this.#since ??= now;
  }

  mark(mark: CoverageMark): void {
    if (this.#marks.length >= MAX_MARKS) this.#marks = this.#marks.filter((_, i) => i % 2 === 1);
    this.#marks.push(mark);
  }

  /** May be empty: then it says only that nothing happened. */
  close(): WalPiece {
    const endLsn = this.at;
    const covered = this.#marks.filter(({ lsn }) => lsn <= endLsn).at(-1) ?? null;
    this.#marks = this.#marks.filter(({ lsn }) => lsn > endLsn);
    const { systemId, timeline } = this.#position;
    const piece: WalPiece = {
      systemId,
      timeline,
      segmentBytes: this.#segmentBytes,
      startLsn: endLsn - BigInt(this.#length),
      endLsn,
      bytes: this.#parts,
      facts: this.#scanner.takeFacts(),
      coveredUntil: covered?.server ?? null,
      coveredAt: covered?.local ?? null,
      receivedAt: this.#since,
      state: this.#scanner.state(),
      history: this.#history,
      chainStart: this.#position.chainStart,
      afterGap: this.#afterGap,
    };
    this.#parts = [];
    this.#length = 0;
    this.#since = null;
    this.#afterGap = false;
    return piece;
  }
}
