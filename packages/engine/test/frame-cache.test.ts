import { MiB } from '@holdfast/contracts';
import { expect, it } from 'vitest';
import { FrameCache } from '../src/restore/frame-cache.ts';

/** Frame f of partition p is a MiB of (p + f). */
function counting() {
  const buffers = new Set<SharedArrayBuffer>();
  const asked: string[] = [];
  const cache = new FrameCache(async (partition, frame, into) => {
    asked.push(`${partition}:${frame}`);
    buffers.add(into);
    if (partition === 99) throw new Error('lost');
    return Buffer.from(into).fill(partition + frame);
  });
  return { cache, buffers, asked };
}

it('lends a frame to many and inflates it once', async () => {
  const { cache, asked } = counting();
  const lent = await Promise.all([cache.lend(1, 2), cache.lend(1, 2)]);
  expect(asked).toEqual(['1:2']);
  for (const { bytes, release } of lent) {
    expect(bytes[0]).toBe(3);
    release();
  }
  (await cache.lend(1, 2)).release();
  expect(asked).toEqual(['1:2']);
});

it('recycles memory of what nobody uses, and of nothing else', async () => {
  const { cache, buffers } = counting();
  const held = await cache.lend(7, 0);
  for (let frame = 0; frame < 200; frame++) (await cache.lend(1, frame % 100)).release();
  expect(held.bytes.every((byte) => byte === 7)).toBe(true);
  // 16 MiB are kept, one is held, and one is on its way.
  expect(buffers.size * MiB).toBeLessThanOrEqual(18 * MiB);
  held.release();
});

it('forgets a frame that could not be had, and its memory is used again', async () => {
  const { cache, buffers, asked } = counting();
  for (let i = 0; i < 3; i++) await expect(cache.lend(99, 0)).rejects.toThrow('lost');
  expect(asked).toEqual(['99:0', '99:0', '99:0']);
  expect(buffers.size).toBe(1);
});
