import { MiB } from '@holdfast/contracts';

/** Weight of the newest measurement in the moving averages. */
const NEWEST = 0.2;
/** Assumed until measured: optimistic enough that every peer gets tried. */
const FIRST_GUESS_MS_PER_MIB = 20;

/** How fast a peer has been lately, seen from here. */
export class PeerGauge {
  #msPerMiB = FIRST_GUESS_MS_PER_MIB;
  #deviation = FIRST_GUESS_MS_PER_MIB;
  #underWay = 0;

  begin(): void {
    this.#underWay++;
  }

  /** @param milliseconds null when the transfer failed or was abandoned. */
  end(bytes: number, milliseconds: number | null): void {
    this.#underWay--;
    if (milliseconds === null || bytes === 0) return;
    const sample = (milliseconds * MiB) / bytes;
    this.#deviation += NEWEST * (Math.abs(sample - this.#msPerMiB) - this.#deviation);
    this.#msPerMiB += NEWEST * (sample - this.#msPerMiB);
  }

  /** Expected milliseconds until one more MiB would be here. */
  get expected(): number {
    return this.#msPerMiB * (1 + this.#underWay / 8);
  }

  /** A transfer that takes longer than this is worth doubling elsewhere (mean plus four deviations, as TCP's RTO). */
  get hedgeAfter(): number {
    return this.#msPerMiB + 4 * this.#deviation;
  }
}
