import type { Catalog, Clock, PeerId, Stripe } from '@holdfast/contracts';
import type { EngineEvent, Policy } from '../api.ts';
import type { ShardManager } from '../shards/shard-manager.ts';

/** The catalog answers for at most so many partitions at once. */
const STRIPES_BATCH = 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

export interface PartitionSurveyOptions {
  readonly catalog: Catalog;
  readonly shards: ShardManager;
  readonly clock: Clock;
  readonly policy: Policy;
  readonly signal: AbortSignal;
  readonly onEvent?: (event: EngineEvent) => void;
}

/**
 * Before a backup relies on data that earlier runs stored, its peers are asked whether they still have it: a snapshot
 * that refers to what is gone would look good and be worthless. Peers that do not answer get the benefit of the doubt;
 * those that answer "not here" do not. Leases past half their time are renewed on the way.
 */
export class PartitionSurvey {
  readonly #options: PartitionSurveyOptions;
  readonly #usable = new Map<number, boolean>();
  /** Shards that their reachable peers no longer have. */
  missing = 0;

  constructor(options: PartitionSurveyOptions) {
    this.#options = options;
  }

  /** Whether each partition, by number, can still be had as far as anybody can tell. Each is asked for once. */
  async usable(numbers: Iterable<number>): Promise<(number: number) => boolean> {
    const unknown = [...new Set(numbers)].filter((number) => !this.#usable.has(number));
    for (let at = 0; at < unknown.length; at += STRIPES_BATCH)
      await this.#ask(unknown.slice(at, at + STRIPES_BATCH));
    return (number) => this.#usable.get(number) ?? false;
  }

  /** Partitions stored by this run need no asking. */
  trust(number: number): void {
    this.#usable.set(number, true);
  }

  async #ask(numbers: readonly number[]): Promise<void> {
    const { catalog, shards, signal } = this.#options;
    const found = await catalog.stripes(numbers);
    const stripes = found.filter((stripe) => stripe !== null);
    for (const number of numbers) this.#usable.set(number, false);
    const answers = await shards.survey(stripes, signal);
    for (const stripe of stripes) {
      const { missing } = answers.get(stripe)!;
      this.#usable.set(stripe.number, stripe.shards.length - missing.size >= stripe.k);
      for (const index of missing) this.#report(stripe, index);
      this.missing += missing.size;
    }
    await this.#renewLeases(stripes, answers);
  }

  #report(stripe: Stripe, index: number): void {
    const { peer } = stripe.shards[index]!;
    this.#options.onEvent?.({ type: 'shard-missing', peer, partition: stripe.id, index });
  }

  async #renewLeases(
    stripes: readonly Stripe[],
    answers: ReadonlyMap<Stripe, { leases: ReadonlyMap<number, number> }>,
  ): Promise<void> {
    const { clock, policy } = this.#options;
    const now = clock.now();
    const until = now + policy.leaseDays * DAY_MS;
    const due = new Map<PeerId, { stripe: Stripe; index: number }[]>();
    for (const stripe of stripes) {
      for (const [index, leaseUntil] of answers.get(stripe)!.leases) {
        if (leaseUntil - now > (policy.leaseDays * DAY_MS) / 2) continue;
        const { peer } = stripe.shards[index]!;
        const list = due.get(peer) ?? [];
        due.set(peer, list);
        list.push({ stripe, index });
      }
    }
    await this.#options.shards.renewLeases(due, until, this.#options.signal);
  }
}
