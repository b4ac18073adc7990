import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { StripeArena, supportedVariants } from '../src/index.ts';
import { isClayWord } from './clay-stripes.ts';
import { combine, generatorRow } from './reference-code.ts';
import { range } from './stripes.ts';

interface Fixture {
  readonly k: number;
  readonly m: number;
  /** Of a Clay code. */
  readonly helpers?: number;
  readonly bytes: number;
  /** SHA-256 of the parity shards, one after the other. */
  readonly paritySha256: string;
  /** All parity bytes, for the smallest. */
  readonly parity?: string;
}

/** Made once by the slow implementation in reference-code.ts; stored shards depend on them, so they never change. */
const fixtures = fixturesOf('parity.json');
/** Made by the scalar kernel, and checked then and now against the definition. */
const clayFixtures = fixturesOf('clay-parity.json');

function fixturesOf(file: string): Fixture[] {
  return JSON.parse(readFileSync(new URL(`./fixtures/${file}`, import.meta.url), 'utf8')).stripes;
}

const primary = (index: number, bytes: number): Buffer =>
  createHash('shake256', { outputLength: bytes }).update(`holdfast erasure fixture, shard ${index}`).digest();

const sha256 = (parts: readonly Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

describe('frozen bytes', () => {
  for (const fixture of [...fixtures, ...clayFixtures]) {
    const { k, m, bytes, helpers } = fixture;
    const clay = helpers === undefined ? undefined : { k, m, helpers };
    it(`${k}+${m} of ${bytes} bytes, ${clay ? `Clay code of ${helpers} helpers` : 'plain'}`, () => {
      for (const variant of supportedVariants()) {
        const arena = StripeArena.create({ shards: k + m, shardBytes: bytes, variant, clay });
        for (let index = 0; index < k; index++) arena.shard(index).set(primary(index, bytes));
        arena.encode({ k, m, bytes, helpers });
        const parity = range(k, k + m).map((index) => arena.shard(index));
        if (fixture.parity !== undefined) expect(Buffer.concat(parity).toString('hex')).toBe(fixture.parity);
        expect(sha256(parity)).toBe(fixture.paritySha256);
      }
    });
  }

  it('are those of the slow implementation too', () => {
    for (const { k, m, bytes, paritySha256 } of fixtures.filter((fixture) => fixture.bytes <= 4096)) {
      const primaries = range(0, k).map((index) => primary(index, bytes));
      const parity = range(k, k + m).map((shard) => combine(generatorRow(k, shard), primaries, bytes));
      expect(sha256(parity)).toBe(paritySha256);
    }
  });

  it('are words of the Clay code that the specification defines', () => {
    for (const { k, m, bytes, helpers, paritySha256 } of clayFixtures.filter((it) => it.bytes === 65_536)) {
      const arena = StripeArena.create({
        shards: k + m,
        shardBytes: bytes,
        clay: { k, m, helpers: helpers! },
      });
      for (const index of range(0, k)) arena.shard(index).set(primary(index, bytes));
      arena.encode({ k, m, bytes, helpers });
      const shards = range(0, k + m).map((index) => arena.shard(index));
      expect(sha256(shards.slice(k))).toBe(paritySha256);
      expect(isClayWord({ k, m, bytes, helpers: helpers!, seed: 0 }, shards)).toBe(true);
    }
  });
});
