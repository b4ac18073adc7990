import { BufferGarbage, MiB, SHARD_BYTES } from '@holdfast/contracts';
import { payloadCapacity } from '@holdfast/crypto';
import { StripeOpener } from '../../packages/engine/src/sealing/stripe-opener.ts';
import { alternate, type Contender, medianRatio, mibPerSecond, type Rounds } from '../harness/alternation.ts';
import { progress } from '../harness/progress.ts';
import { median, type Result, rounded } from '../harness/report.ts';
import { boundOf } from './bound.ts';
import { noise } from './building.ts';
import { openingPrimitives, rebuildingPrimitive } from './primitives.ts';
import type { Shape } from './sealing-pass.ts';
import { EPOCH, PARTITION, StripeMaker } from './stripe-maker.ts';

/** One thread: verified shards in an arena → the payload, checked; with all primaries, and with as many lost as m allows. */
export async function openingResults(shape: Shape, options: Rounds): Promise<Result[]> {
  progress(`${shape.k}+${shape.m}: opening …`);
  const { k, m } = shape;
  const open = await opener(shape);
  const every = Array.from({ length: k + m }, (_, i) => i);
  const rest = every.slice(Math.min(k, m));
  const primitives = openingPrimitives(shape);
  const rebuilding = rebuildingPrimitive(shape, rest);
  const whole = open('open', every);
  const rebuilt = open('rebuild and open', rest);
  const times = await alternate([whole, rebuilt, ...primitives, rebuilding], options);
  const result = ({ name }: Contender, bound: readonly number[]): Result => ({
    name,
    params: { ...shape, threads: 1 },
    value: rounded(mibPerSecond(payloadCapacity(k, SHARD_BYTES), median(times.get(name)!))),
    unit: 'MiB/s',
    ratios: { bound: rounded(medianRatio(times.get(name)!, bound)) },
  });
  return [
    result(whole, boundOf(times, primitives)),
    result(rebuilt, boundOf(times, [...primitives, rebuilding])),
  ];
}

/** Opens one and the same stripe from the shards that are present; the checksum is compared each time. */
async function opener(shape: Shape): Promise<(name: string, present: readonly number[]) => Contender> {
  const maker = new StripeMaker(shape, 0, noise((shape.k + 1) * MiB));
  const stripe = await maker.make();
  const opening = new StripeOpener(maker.arenas, maker.keys, maker.chunkIdKey);
  const payload = new SharedArrayBuffer(payloadCapacity(shape.k, SHARD_BYTES));
  const garbage = new BufferGarbage();
  const { sizeClass, size, checksum, arena } = stripe;
  let handle = 0;
  const once = (present: readonly number[]): void => {
    const request = { ...shape, helpers: 0, sizeClass, size, checksum, arena, payload, present };
    opening.open({ ...request, handle, id: PARTITION, epoch: EPOCH });
    opening.forget(handle++);
    garbage.note(2 * size);
  };
  return (name, present) => ({
    name,
    run: async (times) => {
      const start = process.hrtime.bigint();
      for (let i = 0; i < times; i++) once(present);
      return Number(process.hrtime.bigint() - start);
    },
  });
}
