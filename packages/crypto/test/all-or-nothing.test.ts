import { createDecipheriv, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BLOCK, decode, plainPayload, SHARE, SIZE_CLASS } from './attacker.ts';
import { openStripe, sealStripe } from './stripe.ts';

/**
 * Promise 2: whoever has every key of the vault, and all shards but one, learns nothing. The attacker here gets
 * through the seals (the keys are known), and then tries what there is to try. With parity, and statistics that say how often
 * they may err: fewer-than-k.test.ts.
 */

const K = 4;

function unseal(shard: Uint8Array, key: Uint8Array, index: number): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.alloc(12));
  decipher.setAAD(
    Buffer.concat([Buffer.from('holdfast/seal/v1\0'), Buffer.from([0, K, 0, index, 0, 1, 0, 0])]),
  );
  decipher.setAuthTag(shard.subarray(SHARE));
  return Buffer.concat([decipher.update(shard.subarray(0, SHARE)), decipher.final()]);
}

function blocksOf(bytes: Buffer): Set<string> {
  const blocks = new Set<string>();
  for (let at = 0; at + BLOCK <= bytes.length; at += BLOCK)
    blocks.add(bytes.toString('latin1', at, at + BLOCK));
  return blocks;
}

const shared = (a: Set<string>, b: Set<string>) =>
  a
    .values()
    .filter((block) => b.has(block))
    .toArray().length;

const bitsSet = (bytes: Uint8Array) =>
  bytes.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);

describe('with all keys and all shards but one', () => {
  const payload = plainPayload(K);
  const plainBlocks = blocksOf(payload);
  const sealed = sealStripe(K, SIZE_CLASS, { payload, packageKey: randomBytes(32) });
  const pieces = sealed.shards.map((shard, index) => unseal(shard, sealed.shardKeys[index]!, index));
  const whole = decode(Buffer.concat(pieces));

  it('decodes with all of them (so that the tests below mean something)', () => {
    expect(whole.payload.equals(payload)).toBe(true);
    expect(openStripe(sealed.shards).equals(payload)).toBe(true);
  });

  it.each([0, 1, 2, 3])('no block comes back without shard %i, whatever stands in for it', (missing) => {
    const standIns: Buffer[] = [Buffer.alloc(SHARE), ...Array.from({ length: 5 }, () => randomBytes(SHARE))];
    const almost = Buffer.from(pieces[missing]!);
    almost[1234]! ^= 1;
    standIns.push(almost, pieces[(missing + 1) % K]!);
    for (const standIn of standIns) {
      const { payload: guess } = decode(Buffer.concat(pieces.with(missing, standIn)));
      expect(shared(blocksOf(guess), plainBlocks)).toBe(0);
    }
  });

  it.each([0, 1, 2, 3])('what is left without shard %i looks like noise', (missing) => {
    const rest = Buffer.concat(pieces.filter((_, index) => index !== missing));
    const blocks = blocksOf(rest);
    expect(blocks.size).toBe(rest.length / BLOCK);
    expect(shared(blocks, plainBlocks)).toBe(0);
    const counts = new Array<number>(256).fill(0);
    for (const byte of rest) counts[byte]!++;
    const chiSquare = counts.reduce(
      (sum, count) => sum + (count - rest.length / 256) ** 2 / (rest.length / 256),
      0,
    );
    expect(chiSquare).toBeLessThan(380);
    // n bits of noise have n/2 ones, give or take six standard deviations of √n/2.
    expect(Math.abs(bitsSet(rest) - rest.length * 4)).toBeLessThan(3 * Math.sqrt(rest.length * 8));
  });

  it('one wrong bit anywhere gives a key with half of its bits wrong', () => {
    const pack = Buffer.concat(pieces);
    let distance = 0;
    const runs = 200;
    for (let run = 0; run < runs; run++) {
      const broken = Buffer.from(pack);
      broken[Math.floor((run / runs) * (pack.length - 32))]! ^= 1 << (run & 7);
      distance += bitsSet(decode(broken).key.map((byte, i) => byte ^ whole.key[i]!));
    }
    // Mean of 200 binomials (256, ½): 128 with a standard deviation of 0.57.
    expect(Math.abs(distance / runs - 128)).toBeLessThan(6 * 0.57);
  });

  it('the same payload under another package key shares nothing', () => {
    const other = sealStripe(K, SIZE_CLASS, { payload, packageKey: randomBytes(32) });
    const blocks = blocksOf(Buffer.concat(pieces));
    other.shards.forEach((shard, index) => {
      expect(shared(blocksOf(unseal(shard, other.shardKeys[index]!, index)), blocks)).toBe(0);
    });
  });
});
