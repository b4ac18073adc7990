/** Samples over this span decide the rate: steady to read, yet a stall shows within seconds. */
const WINDOW_MS = 8_000;

/** Bytes a second over the last few seconds, for the rate and for "time left". */
export class SpeedMeter {
  readonly #samples: { bytes: number; at: number }[] = [];

  /** @param at monotonic milliseconds. */
  add(bytes: number, at: number): void {
    this.#samples.push({ bytes, at });
    while (this.#samples.length > 2 && at - this.#samples[0]!.at > WINDOW_MS) this.#samples.shift();
  }

  get bytesPerSecond(): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || last.at <= first.at) return 0;
    return Math.max(0, ((last.bytes - first.bytes) * 1000) / (last.at - first.at));
  }
}
