import { cancelled } from '@holdfast/contracts';
import type { WalPiece } from './wal-piece.ts';

/** Pieces between receiver and storage, bounded in bytes. */
export class PieceQueue {
  readonly #limit: number;
  #pieces: WalPiece[] = [];
  #bytes = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  /** Pieces that are being stored count until `done`. */
  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  /** Resolves when there is room for more. CANCELLED; the piece is in the queue even then. */
  async put(piece: WalPiece, signal: AbortSignal): Promise<void> {
    this.#pieces.push(piece);
    this.#bytes += lengthOf(piece);
    this.#rouse();
    while (this.#bytes >= this.#limit) await this.#change(signal);
  }

  /** At least one piece: all that follow each other on one timeline, up to about `bytes`. They stay until `done`. */
  async next(bytes: number, signal: AbortSignal): Promise<WalPiece[]> {
    while (this.#pieces.length === 0) await this.#change(signal);
    const taken: WalPiece[] = [];
    let length = 0;
    for (const piece of this.#pieces) {
      const before = taken.at(-1);
      if (before && (piece.afterGap || piece.timeline !== before.timeline || length >= bytes)) break;
      if (before && piece.startLsn !== before.endLsn) break;
      taken.push(piece);
      length += lengthOf(piece);
    }
    return taken;
  }

  done(pieces: readonly WalPiece[]): void {
    this.#pieces = this.#pieces.slice(pieces.length);
    for (const piece of pieces) this.#bytes -= lengthOf(piece);
    this.#rouse();
  }

  #rouse(): void {
    for (const wake of this.#waiting) wake();
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(cancelled(signal));
      const stop = (): void => {
        this.#waiting.delete(wake);
        reject(cancelled(signal));
      };
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', stop);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', stop, { once: true });
    });
  }
}

const lengthOf = (piece: WalPiece): number => Number(piece.endLsn - piece.startLsn);
