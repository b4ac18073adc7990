import { BufferGarbage, type Hash, type PartitionId, SHARD_BYTES } from '@holdfast/contracts';
import { blake3Hex, openPayload, payloadCapacity, SealingKeys, sealPayload, wipe } from '@holdfast/crypto';
import { StripeArena } from '@holdfast/erasure';
import { fillNoise } from '../harness/noise.ts';

export interface Shape {
  readonly k: number;
  readonly m: number;
}

/** What the pass consists of, as one can time it from outside. */
export const STEPS = ['transform and seal', 'encode', 'hash'] as const;
export type Step = (typeof STEPS)[number];

const PARTITION = '6f2b1c9e-3d5a-4c77-9b10-2f8e5d4c3b2a' as PartitionId;
/** As a sealing worker counts it. */
const GARBAGE_PER_BYTE = 2;

/**
 * A full payload in an arena → sealed, coded and hashed shards beside it, by the functions and in the order of
 * `StripeBuilder`, again and again. The clock is read between the steps.
 */
export class SealingPass {
  readonly payloadBytes: number;
  readonly spent: Record<Step, number> = { 'transform and seal': 0, encode: 0, hash: 0 };
  readonly #shape: Shape;
  readonly #arena: StripeArena;
  readonly #keys = SealingKeys.fromSecret(new Uint8Array(32).fill(7));
  readonly #packageKey = new Uint8Array(32).fill(42);
  readonly #garbage = new BufferGarbage();

  constructor(shape: Shape) {
    const { k, m } = shape;
    this.#shape = shape;
    this.payloadBytes = payloadCapacity(k, SHARD_BYTES);
    this.#arena = StripeArena.create({
      shards: k + m,
      shardBytes: SHARD_BYTES,
      scratchBytes: this.payloadBytes,
    });
    fillNoise(this.#arena.scratch, 1);
    this.#check();
  }

  /** Nanoseconds. */
  run(times: number): number {
    const start = process.hrtime.bigint();
    for (let i = 0; i < times; i++) this.#once();
    return Number(process.hrtime.bigint() - start);
  }

  #once(): Hash[] {
    const { k, m } = this.#shape;
    const start = process.hrtime.bigint();
    const partition = this.#keys.partition(0, PARTITION);
    const shardKeys = partition.shardKeys(k);
    const payload = this.#arena.scratch;
    sealPayload({ payload, packageKey: this.#packageKey, shardKeys, shards: this.#primaries() });
    wipe(...shardKeys);
    partition.destroy();
    const sealed = process.hrtime.bigint();
    this.#arena.encode({ k, m, bytes: SHARD_BYTES });
    const coded = process.hrtime.bigint();
    const hashes: Hash[] = [];
    for (let i = 0; i < k + m; i++) hashes.push(blake3Hex(this.#arena.shard(i)));
    this.spent['transform and seal'] += Number(sealed - start);
    this.spent.encode += Number(coded - sealed);
    this.spent.hash += Number(process.hrtime.bigint() - coded);
    this.#garbage.note(GARBAGE_PER_BYTE * this.payloadBytes);
    return hashes;
  }

  #primaries(): Uint8Array[] {
    return Array.from({ length: this.#shape.k }, (_, i) => this.#arena.shard(i, SHARD_BYTES));
  }

  /** What was sealed opens again, and its parity fits. */
  #check(): void {
    const { k, m } = this.#shape;
    this.#once();
    const payload = Buffer.alloc(this.payloadBytes);
    const shardKeys = this.#keys.partition(0, PARTITION).shardKeys(k);
    openPayload({ shards: this.#primaries(), shardKeys, payload });
    if (!payload.equals(this.#arena.scratch) || !this.#arena.verify({ k, m, bytes: SHARD_BYTES })) {
      throw new Error('What was sealed is not what opens.');
    }
  }
}
