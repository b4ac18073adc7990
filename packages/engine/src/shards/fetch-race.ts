import {
  type Clock,
  HoldfastError,
  type PeerId,
  type ShardId,
  type ShardTransport,
  type Stripe,
} from '@holdfast/contracts';
import { blake3Hex } from '@holdfast/crypto';
import type { EngineEvent } from '../api.ts';
import { TaskGroup } from '../flow/task-group.ts';
import type { StorageManager } from '../storage/storage-manager.ts';

export type ShardProblem = 'wrong-bytes' | 'missing' | 'unreachable';

export interface BadShard {
  readonly index: number;
  readonly peer: PeerId;
  readonly problem: ShardProblem;
}

export interface FetchOutcome {
  /** Indices whose slot now holds bytes with the right hash. */
  readonly present: number[];
  readonly bad: BadShard[];
  readonly fetchedBytes: number;
}

export interface FetchContext {
  readonly transport: ShardTransport;
  readonly storage: StorageManager;
  readonly clock: Clock;
  readonly shardId: (stripe: Stripe, index: number) => ShardId;
  readonly onEvent?: (event: EngineEvent) => void;
}

/** A hedge sooner than this would answer noise, not slowness. */
const MIN_HEDGE_MS = 150;
/** Primary shards need no decoding, so a parity shard must promise to be clearly faster to be preferred. */
const PARITY_HANDICAP = 3;

/**
 * Gets `want` good shards of a stripe into their slots: the ones promised soonest first, another for each that fails,
 * and one more whenever none has arrived for longer than its peer usually takes. What arrives is checked against the
 * hash in the signed manifest before it counts. Slots are the caller's again only after every request has ended.
 */
export async function fetchShards(
  context: FetchContext,
  stripe: Stripe,
  slot: (index: number) => Uint8Array,
  options: { want: number; signal: AbortSignal },
): Promise<FetchOutcome> {
  const race = new FetchRace(context, stripe, slot, options.want);
  return race.run(options.signal);
}

class FetchRace {
  readonly #context: FetchContext;
  readonly #stripe: Stripe;
  readonly #slot: (index: number) => Uint8Array;
  readonly #want: number;
  readonly #waiting: number[];
  readonly #present: number[] = [];
  readonly #bad: BadShard[] = [];
  readonly #running = new Map<number, AbortController>();
  #fetchedBytes = 0;
  #wake: () => void = () => {};

  constructor(context: FetchContext, stripe: Stripe, slot: (index: number) => Uint8Array, want: number) {
    this.#context = context;
    this.#stripe = stripe;
    this.#slot = slot;
    this.#want = want;
    const cost = (index: number) =>
      context.storage.cost(stripe.shards[index]!.peer) * (index < stripe.k ? 1 : PARITY_HANDICAP);
    const costs = stripe.shards.map((_, index) => cost(index));
    this.#waiting = stripe.shards.map((_, index) => index).sort((a, b) => costs[a]! - costs[b]!);
  }

  async run(signal: AbortSignal): Promise<FetchOutcome> {
    const tasks = new TaskGroup(signal);
    try {
      while (this.#present.length < this.#want && !tasks.signal.aborted) {
        while (this.#waiting.length > 0 && this.#running.size + this.#present.length < this.#want)
          this.#startNext(tasks);
        if (this.#running.size === 0) break;
        if (!(await this.#waitForChange()) && this.#waiting.length > 0) this.#startNext(tasks);
      }
    } finally {
      for (const controller of this.#running.values()) controller.abort();
      await tasks.settle();
    }
    return { present: this.#present.sort((a, b) => a - b), bad: this.#bad, fetchedBytes: this.#fetchedBytes };
  }

  #startNext(tasks: TaskGroup): void {
    const index = this.#waiting.shift()!;
    const controller = new AbortController();
    this.#running.set(index, controller);
    tasks.run(async () => {
      try {
        await this.#fetch(index, AbortSignal.any([tasks.signal, controller.signal]));
      } finally {
        this.#running.delete(index);
        this.#wake();
      }
    });
  }

  async #fetch(index: number, signal: AbortSignal): Promise<void> {
    const { storage, transport, clock } = this.#context;
    const { peer, hash } = this.#stripe.shards[index]!;
    const gauge = storage.gauge(peer);
    const started = clock.monotonic();
    let received = 0;
    gauge.begin();
    try {
      const into = this.#slot(index);
      received = await transport.get(peer, this.#context.shardId(this.#stripe, index), into, { signal });
      this.#fetchedBytes += received;
      if (received !== into.length || blake3Hex(into) !== hash) this.#wrong(index, peer);
      else {
        this.#present.push(index);
        storage.noteGood(peer, 'served');
      }
    } catch (error) {
      if (signal.aborted) return;
      this.#failed(index, peer, error);
    } finally {
      gauge.end(received, received > 0 ? clock.monotonic() - started : null);
    }
  }

  #wrong(index: number, peer: PeerId): void {
    this.#bad.push({ index, peer, problem: 'wrong-bytes' });
    this.#context.storage.noteWrongBytes(peer);
    this.#context.onEvent?.({ type: 'wrong-bytes', peer, partition: this.#stripe.id, index });
  }

  #failed(index: number, peer: PeerId, error: unknown): void {
    if (HoldfastError.is(error, 'PEER_SHARD_CORRUPT', 'PEER_PROTOCOL')) {
      this.#wrong(index, peer);
      return;
    }
    if (HoldfastError.is(error, 'PEER_NO_SHARD', 'PEER_NOT_OWNER')) {
      this.#bad.push({ index, peer, problem: 'missing' });
      this.#context.storage.noteMissing(peer);
      this.#context.onEvent?.({ type: 'shard-missing', peer, partition: this.#stripe.id, index });
      return;
    }
    this.#bad.push({ index, peer, problem: 'unreachable' });
    this.#context.storage.noteFailure(peer, error);
  }

  /** True when a request ended, false when it is time to hedge. */
  async #waitForChange(): Promise<boolean> {
    const { clock, storage } = this.#context;
    const slowest = Math.max(
      ...[...this.#running.keys()].map((i) => storage.gauge(this.#stripe.shards[i]!.peer).hedgeAfter),
    );
    const timer = new AbortController();
    const change = new Promise<true>((resolve) => {
      this.#wake = () => resolve(true);
    });
    const timeout = clock.sleep(Math.max(MIN_HEDGE_MS, slowest), { signal: timer.signal }).then(
      () => false as const,
      () => true as const,
    );
    try {
      return await Promise.race([change, timeout]);
    } finally {
      timer.abort();
    }
  }
}
