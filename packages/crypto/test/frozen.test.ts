import { type SizeClass, toHex } from '@holdfast/contracts';
import { describe, expect, it } from 'vitest';
import { blake3Hex } from '../src/index.ts';
import { fixture } from './fixture.ts';
import { openStripe, sealStripe } from './stripe.ts';

interface FrozenStripe {
  readonly k: number;
  readonly sizeClass: SizeClass;
  readonly checksum: string;
  readonly shards: readonly { readonly hash: string; readonly head: string; readonly tag: string }[];
}

/** Bytes once written must stay readable: a change here is a new format version, never a new fixture. */
describe('sealed bytes', () => {
  const { stripes } = fixture<{ stripes: FrozenStripe[] }>('frozen-stripes.json');

  it.each(stripes)('are what they were: k = $k, $sizeClass bytes', (frozen) => {
    const { shards, checksum, payload } = sealStripe(frozen.k, frozen.sizeClass);
    expect(checksum).toBe(frozen.checksum);
    expect(
      shards.map((shard) => ({
        hash: blake3Hex(shard),
        head: toHex(shard.subarray(0, 32)),
        tag: toHex(shard.subarray(-16)),
      })),
    ).toEqual(frozen.shards);
    expect(openStripe(shards).equals(payload)).toBe(true);
  });
});
