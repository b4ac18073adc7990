import type { Clock } from '@holdfast/contracts';
import type { Phase, Progress } from './api.ts';

const INTERVAL_MS = 100;

/** Counts what a run has done and tells its observer, at most ten times a second and at every change of phase. */
export class ProgressMeter {
  readonly #clock: Clock;
  readonly #report: ((progress: Progress) => void) | undefined;
  #state: Progress = {
    phase: 'prepare',
    bytes: 0,
    totalBytes: null,
    objects: 0,
    totalObjects: null,
    transferredBytes: 0,
  };
  #reportedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, report: ((progress: Progress) => void) | undefined) {
    this.#clock = clock;
    this.#report = report;
  }

  phase(phase: Phase): void {
    this.#state = { ...this.#state, phase };
    this.#tell();
  }

  expect(totalBytes: number | null, totalObjects: number | null): void {
    this.#state = { ...this.#state, totalBytes, totalObjects };
    this.#tell();
  }

  add(done: { bytes?: number; objects?: number; transferredBytes?: number }): void {
    const { bytes, objects, transferredBytes } = this.#state;
    this.#state = {
      ...this.#state,
      bytes: bytes + (done.bytes ?? 0),
      objects: objects + (done.objects ?? 0),
      transferredBytes: transferredBytes + (done.transferredBytes ?? 0),
    };
    if (this.#clock.monotonic() - this.#reportedAt >= INTERVAL_MS) this.#tell();
  }

  #tell(): void {
    this.#reportedAt = this.#clock.monotonic();
    this.#report?.(this.#state);
  }
}
