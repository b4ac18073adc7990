import { createCipheriv } from 'node:crypto';
import { type PartitionId, SIZE_CLASSES, toHex } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Blake3Stream,
  blake3Hex,
  keyedBlake3,
  openPayload,
  payloadCapacity,
  sealPayload,
  VaultKeys,
} from '../src/index.ts';
import { codeOf, fill, openStripe, PARTITION, sealStripe } from './stripe.ts';

describe('sealing', () => {
  it.each(SIZE_CLASSES.flatMap((size) => [1, 2, 4, 10].map((k) => [k, size] as const)))(
    'opens what it sealed: k = %i, shards of %i bytes',
    (k, sizeClass) => {
      const { shards, payload } = sealStripe(k, sizeClass);
      expect(shards.map((shard) => shard.length)).toEqual(Array(k).fill(sizeClass));
      expect(openStripe(shards).equals(payload)).toBe(true);
    },
  );

  it('works on views of shared memory, at odd offsets, without touching what lies around them', () => {
    const sizeClass = 64 * 1024;
    const capacity = payloadCapacity(3, sizeClass);
    const memory = new Uint8Array(new SharedArrayBuffer(4 * capacity)).fill(0xa5);
    const payload = memory.subarray(7, 7 + capacity);
    payload.set(fill(capacity));
    const from = capacity + 101;
    const shards = [0, 1, 2].map((i) =>
      memory.subarray(from + i * (sizeClass + 3), from + i * (sizeClass + 3) + sizeClass),
    );
    const { shards: expected } = sealStripe(3, sizeClass, { payload: fill(capacity) });
    sealStripe(3, sizeClass, { payload, shards });
    expect(shards.map((shard) => blake3Hex(shard))).toEqual(expected.map((shard) => blake3Hex(shard)));
    expect(Buffer.from(payload).equals(fill(capacity))).toBe(true);
    for (const i of [0, 1, 2])
      expect([...memory.subarray(from + i * (sizeClass + 3) - 3, from + i * (sizeClass + 3))]).toEqual([
        0xa5, 0xa5, 0xa5,
      ]);
    payload.fill(0);
    openStripe(shards, { payload });
    expect(Buffer.from(payload).equals(fill(capacity))).toBe(true);
  });

  it('gives the same bytes for the same request, and the checksum of the part in use', () => {
    const payload = fill(payloadCapacity(2, 65536));
    payload.fill(0, 1000);
    const a = sealStripe(2, 65536, { payload, size: 1000 });
    const b = sealStripe(2, 65536, { payload, size: 1000 });
    expect(a.shards.map((shard) => toHex(shard))).toEqual(b.shards.map((shard) => toHex(shard)));
    expect(a.checksum).toBe(blake3Hex(payload.subarray(0, 1000)));
  });

  it('checks the padding in shared memory too', () => {
    const payload = new Uint8Array(new SharedArrayBuffer(payloadCapacity(2, 65536)));
    payload.set(fill(70_000));
    expect(sealStripe(2, 65536, { payload, size: 70_000 }).checksum).toBe(blake3Hex(fill(70_000)));
    payload[payload.length - 1] = 1;
    expect(codeOf(() => sealStripe(2, 65536, { payload, size: 70_000 })).code).toBe('CODE_PARAMETERS');
  });

  it('uses an unrelated key stream when one package key meets another payload', () => {
    const payload = fill(payloadCapacity(2, 65536));
    const edited = Buffer.from(payload);
    edited[0]! ^= 1;
    const [a, b] = [sealStripe(2, 65536, { payload }), sealStripe(2, 65536, { payload: edited })];
    const difference = a.shards[1]!.map((byte, i) => byte ^ b.shards[1]![i]!);
    const zeros = difference.filter((byte) => byte === 0).length / difference.length;
    expect(zeros).toBeLessThan(2 / 256);
  });

  it('computes the bytes that docs/specs/sealing.md describes', () => {
    const [k, sizeClass] = [3, 131072] as const;
    const payload = fill(payloadCapacity(k, sizeClass));
    const { shards, packageKey, shardKeys } = sealStripe(k, sizeClass, { payload });
    // Written from the specification, piece by piece and with whole buffers: nothing shared with the fused pass.
    const size = Buffer.alloc(8);
    size.writeBigUInt64BE(BigInt(payload.length));
    const checksum = Buffer.from(blake3Hex(payload), 'hex');
    const key = keyedBlake3(
      packageKey,
      Buffer.concat([Buffer.from('holdfast/aont-package-key/v1\0'), size, checksum]),
    );
    const body = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(payload);
    const mask = new Blake3Stream({ context: 'holdfast/aont-package-hash/v1' }).update(body).digest();
    const pack = Buffer.concat([body, key.map((byte, i) => byte ^ mask[i]!)]);
    expect(pack.length).toBe(k * (sizeClass - 16));
    for (let i = 0; i < k; i++) {
      const place = Buffer.from([0, k, 0, i, 0, 2, 0, 0]);
      const gcm = createCipheriv('aes-256-gcm', shardKeys[i]!, Buffer.alloc(12));
      gcm.setAAD(Buffer.concat([Buffer.from('holdfast/seal/v1\0'), place]));
      const text = gcm.update(pack.subarray(i * (sizeClass - 16), (i + 1) * (sizeClass - 16)));
      gcm.final();
      expect(Buffer.concat([text, gcm.getAuthTag()]).equals(shards[i]!)).toBe(true);
    }
  });
});

describe('opening', () => {
  const sizeClass = 65536;
  const stripe = sealStripe(3, sizeClass);

  it('names the shard in which any one bit was flipped, and leaves no payload', () => {
    const payload = Buffer.alloc(payloadCapacity(3, sizeClass));
    fc.assert(
      fc.property(fc.nat(2), fc.nat(sizeClass * 8 - 1), (index, bit) => {
        const shards = stripe.shards.map((shard) => Uint8Array.from(shard));
        shards[index]![bit >> 3]! ^= 1 << (bit & 7);
        payload.fill(0xff);
        const error = codeOf(() => openStripe(shards, { payload }));
        expect(error.code).toBe('SEAL_BROKEN');
        expect(error.message).toContain(`Shard ${index} of partition ${PARTITION}`);
        expect(error.details).toEqual({ partition: PARTITION, index, indices: [index] });
        expect(payload.every((byte) => byte === 0)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('names all broken shards at once', () => {
    const shards = stripe.shards.map((shard, i) =>
      i === 1 ? Uint8Array.from(shard) : new Uint8Array(shard.length),
    );
    expect(codeOf(() => openStripe(shards)).details.indices).toEqual([0, 2]);
  });

  it('refuses shards in each other’s places, of another stripe width, epoch, partition or vault', () => {
    const [a, b, c] = stripe.shards as [Uint8Array, Uint8Array, Uint8Array];
    expect(codeOf(() => openStripe([b, a, c])).details.indices).toEqual([0, 1]);
    expect(codeOf(() => openStripe([a, b])).details.indices).toEqual([0, 1]);
    expect(codeOf(() => openStripe([a, b, c], { epoch: 1 })).details.indices).toEqual([0, 1, 2]);
    const other = '00000000-0000-4000-8000-000000000001' as PartitionId;
    expect(codeOf(() => openStripe([a, b, c], { partition: other })).details.indices).toEqual([0, 1, 2]);
    const vault = VaultKeys.fromRoot(Buffer.alloc(32, 9));
    expect(codeOf(() => openStripe([a, b, c], { keys: vault })).details.indices).toEqual([0, 1, 2]);
  });

  it('finds every one of a thousand random corruptions', () => {
    fc.assert(
      fc.property(
        fc.nat(2),
        fc.nat(sizeClass - 1),
        fc.uint8Array({ minLength: 1, maxLength: 600 }),
        (index, at, bytes) => {
          const shards = stripe.shards.map((shard) => Uint8Array.from(shard));
          shards[index]!.set(bytes.subarray(0, sizeClass - at), at);
          fc.pre(!Buffer.from(shards[index]!).equals(stripe.shards[index]!));
          expect(codeOf(() => openStripe(shards)).details.indices).toEqual([index]);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('requests of the wrong shape', () => {
  const good = sealStripe(2, 65536);
  const shape = {
    payload: good.payload,
    packageKey: good.packageKey,
    shardKeys: good.shardKeys,
    shards: good.shards,
  };

  it.each<[string, Partial<typeof shape & { size: number }>, string]>([
    ['no shards', { shards: [], shardKeys: [] }, 'cannot have 0'],
    ['no size class', { shards: [new Uint8Array(65535), new Uint8Array(65535)] }, '65535 bytes'],
    ['different lengths', { shards: [new Uint8Array(65536), new Uint8Array(131072)] }, 'Shard 1 has 131072'],
    ['too few keys', { shardKeys: good.shardKeys.slice(1) }, '1 keys for 2'],
    ['a short key', { shardKeys: [good.shardKeys[0]!, new Uint8Array(16)] }, 'key of shard 1 has 16'],
    ['a short package key', { packageKey: new Uint8Array(31) }, 'package key has 32 bytes, not 31'],
    ['a short payload', { payload: good.payload.subarray(1) }, 'below the capacity'],
    ['padding that is not zero', { size: 10 }, 'not padded'],
    ['a size beyond the capacity', { size: good.payload.length + 1 }, 'do not fit'],
    ['a size that is no number', { size: Number.NaN }, 'do not fit'],
  ])('refuses %s and writes nothing', (_, change, message) => {
    const before = good.shards.map((shard) => blake3Hex(shard));
    const error = codeOf(() => sealPayload({ ...shape, ...change }));
    expect(error.code).toBe('CODE_PARAMETERS');
    expect(error.message).toContain(message);
    expect(good.shards.map((shard) => blake3Hex(shard))).toEqual(before);
  });

  it('leaves the payload alone when asked to open nonsense', () => {
    const payload = Buffer.alloc(good.payload.length, 1);
    const error = codeOf(() => openPayload({ shards: good.shards, shardKeys: [], payload }));
    expect(error.code).toBe('CODE_PARAMETERS');
    expect(payload.every((byte) => byte === 1)).toBe(true);
  });
});

describe('what a shard shows', () => {
  it('is indistinguishable from noise even for a payload of zeros', () => {
    const { shards } = sealStripe(4, 262144, { payload: Buffer.alloc(payloadCapacity(4, 262144)) });
    for (const shard of shards) expect(chiSquare(shard)).toBeLessThan(380);
  });
});

/** 255 degrees of freedom: noise stays below 380 all but once in ten million times. */
function chiSquare(bytes: Uint8Array): number {
  const counts = new Array<number>(256).fill(0);
  for (const byte of bytes) counts[byte]!++;
  const expected = bytes.length / 256;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
