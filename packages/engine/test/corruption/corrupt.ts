import type { Random } from '@holdfast/contracts';
import type { SealedStripe } from './sealed-stripe.ts';

/** What a peer's disk, its program or its operator may do to a shard. */
export const CORRUPTIONS = [
  'a bit flipped',
  'a run of bytes overwritten',
  'a run of zeros',
  'the end missing, as zeros',
  'all zeros',
  'bytes rotated',
  'another shard of the stripe',
  'the same shard of another stripe',
  'an older version',
] as const;
export type Corruption = (typeof CORRUPTIONS)[number];

/** A stripe and those whose shards may turn up in place of its own. */
export interface Family {
  readonly stripe: SealedStripe;
  readonly other: SealedStripe;
  readonly older: SealedStripe;
}

const below = (random: Random, limit: number): number => Math.floor(random.uniform() * limit);

/** Fills `target` with what became of shard `index`: never its right bytes. */
export function corrupt(
  target: Uint8Array,
  family: Family,
  index: number,
  random: Random,
  kinds: readonly Corruption[] = CORRUPTIONS,
): Corruption {
  const good = family.stripe.shards[index]!;
  for (;;) {
    const kind = kinds[below(random, kinds.length)]!;
    target.set(good);
    apply(kind, target, family, index, random);
    // A run may happen to be what was there, and with k = 1 every shard is the same.
    if (Buffer.compare(target, good) !== 0) return kind;
  }
}

function apply(kind: Corruption, target: Uint8Array, family: Family, index: number, random: Random): void {
  const { length } = target;
  const at = below(random, length);
  const run = 1 + below(random, random.uniform() < 0.5 ? 32 : length - at);
  switch (kind) {
    case 'a bit flipped':
      target[at]! ^= 1 << below(random, 8);
      return;
    case 'a run of bytes overwritten':
      target.set(random.bytes(Math.min(run, length - at)), at);
      return;
    case 'a run of zeros':
      target.fill(0, at, at + run);
      return;
    case 'the end missing, as zeros':
      target.fill(0, at);
      return;
    case 'all zeros':
      target.fill(0);
      return;
    case 'bytes rotated': {
      const by = 1 + below(random, length - 1);
      const good = family.stripe.shards[index]!;
      target.set(good.subarray(by));
      target.set(good.subarray(0, by), length - by);
      return;
    }
    case 'another shard of the stripe':
      target.set(family.stripe.shards[below(random, family.stripe.shards.length)]!);
      return;
    case 'the same shard of another stripe':
      target.set(family.other.shards[index]!);
      return;
    case 'an older version':
      target.set(family.older.shards[index]!);
  }
}
