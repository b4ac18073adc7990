import { type KernelVariant, StripeArena, type StripeShape } from '@holdfast/erasure';
import { fillNoise } from '../harness/noise.ts';
import { type Coder, mostLost, OPERATIONS, type Operation } from './coder.ts';

/** Our code with one of its kernels, in this process. */
export class HoldfastCoder implements Coder {
  readonly name: string;
  readonly operations = OPERATIONS;
  readonly variant: KernelVariant;
  #work: Readonly<Record<Operation, () => void>> | null = null;

  constructor(variant: KernelVariant) {
    this.variant = variant;
    this.name = `holdfast ${variant}`;
  }

  async prepare(shape: StripeShape): Promise<boolean> {
    const { k, m, bytes } = shape;
    const arena = StripeArena.create({
      shards: k + m,
      shardBytes: bytes,
      scratchBytes: bytes,
      variant: this.variant,
    });
    for (let i = 0; i < k; i++) fillNoise(arena.shard(i), i);
    // Updating from a primary to itself changes nothing, and costs what any update costs.
    arena.scratch.set(arena.shard(0));
    const rebuild = (lost: readonly number[]): (() => void) => {
      const present = Array.from({ length: k + m }, (_, i) => i).filter((i) => !lost.includes(i));
      return () => arena.reconstruct({ ...shape, present, wanted: lost });
    };
    const work = {
      encode: () => arena.encode(shape),
      rebuild: rebuild(mostLost(shape)),
      'rebuild-one': rebuild([0]),
      verify: () => {
        if (!arena.verify(shape)) throw new Error(`${this.name}: parity does not fit the data.`);
      },
      'update-parity': () => arena.updateParity({ ...shape, index: 0 }),
    };
    check(this.name, arena, shape, work);
    this.#work = work;
    return true;
  }

  async run(operation: Operation, times: number): Promise<number> {
    const work = this.#work![operation];
    const start = process.hrtime.bigint();
    for (let i = 0; i < times; i++) work();
    return Number(process.hrtime.bigint() - start);
  }

  async close(): Promise<void> {
    this.#work = null;
  }
}

function check(
  name: string,
  arena: StripeArena,
  shape: StripeShape,
  work: Readonly<Record<Operation, () => void>>,
): void {
  work.encode();
  for (const [operation, lost] of [['rebuild', mostLost(shape)] as const, ['rebuild-one', [0]] as const]) {
    const before = lost.map((index) => Buffer.from(arena.shard(index)));
    for (const index of lost) arena.shard(index).fill(0);
    work[operation]();
    if (!lost.every((index, i) => before[i]!.equals(arena.shard(index)))) {
      throw new Error(`${name}: ${operation} made wrong bytes.`);
    }
  }
  work['update-parity']();
  work.verify();
}
