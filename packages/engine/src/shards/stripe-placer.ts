import type { Catalog, Clock, PartitionId, Random, Stripe } from '@holdfast/contracts';
import { chooseMode, epochSalt, type PlacementMode } from '@holdfast/placement';
import type { EngineEvent, PlacementCounts, Policy } from '../api.ts';
import { RecordedViews, recordedRelaxations, recordedRules } from '../audit/recorded-facts.ts';
import { currentPlacement } from '../placement-policy.ts';
import type { StorageManager } from '../storage/storage-manager.ts';
import { type PlacementContext, StripePlacement } from './stripe-placement.ts';

export interface StripePlacerOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: StorageManager;
  readonly policy: Policy;
  readonly placementSalt: Uint8Array;
  readonly onEvent?: ((event: EngineEvent) => void) | undefined;
}

/** Places stripes under a run's policy, in the mode that the peers' availability asks for at the moment. */
export class StripePlacer {
  readonly #options: StripePlacerOptions;
  readonly #views: RecordedViews;
  #mode: PlacementMode | null = null;
  #placed = 0;
  #firstAttempt = 0;

  constructor(options: StripePlacerOptions) {
    this.#options = options;
    this.#views = new RecordedViews(options.catalog);
  }

  get counts(): PlacementCounts {
    return { placed: this.#placed, firstAttempt: this.#firstAttempt };
  }

  /** PLACEMENT_REFUSED. */
  async assign(
    partition: PartitionId,
    shape: Pick<Stripe, 'k' | 'm' | 'sizeClass'>,
  ): Promise<StripePlacement> {
    const placement = StripePlacement.assign(await this.#context(), partition, shape);
    this.#placed += 1;
    if (placement.attempts === 1) this.#firstAttempt += 1;
    return placement;
  }

  /** What an earlier run placed: PLACEMENT_REFUSED when peers have been removed since, or limits lowered. */
  async resume(stripe: Stripe): Promise<StripePlacement> {
    const { catalog } = this.#options;
    const history = await catalog.holders(stripe.id);
    const [placement] = await catalog.placements([stripe.number]);
    const record = placement?.record ?? null;
    const earlier = record && {
      facts: await this.#views.facts(stripe, history, record),
      rules: recordedRules(stripe, record),
      relaxations: recordedRelaxations(record),
    };
    return StripePlacement.resume(await this.#context(), stripe, history, earlier);
  }

  async #context(): Promise<PlacementContext> {
    const { catalog, storage, policy, placementSalt, random, clock, onEvent } = this.#options;
    this.#mode ??= await lastMode(catalog);
    const current = currentPlacement(policy);
    this.#mode = chooseMode(current.mode, this.#mode, storage.availability());
    const salt = epochSalt(placementSalt, current.saltEpoch);
    return { storage, policy: current, mode: this.#mode, salt, random, now: clock.now(), onEvent };
  }
}

/** What the newest placement was made in: hysteresis has to reach over runs, which may be short. */
async function lastMode(catalog: Catalog): Promise<PlacementMode | null> {
  const mode = (await catalog.newestPlacement())?.policy.mode;
  return mode === 'deterministic' || mode === 'random' ? mode : null;
}
