import { expect, it } from 'vitest';
import { BufferGarbage } from '../src/index.ts';

const MiB = 2 ** 20;

/** The most that buffers came to while 512 MiB of them were made and dropped. */
function peakOf(dropped: (bytes: number) => void): number {
  let peak = 0;
  for (let i = 0; i < 8192; i++) {
    Buffer.allocUnsafeSlow(MiB / 16);
    dropped(MiB / 16);
    peak = Math.max(peak, process.memoryUsage().arrayBuffers);
  }
  return peak;
}

it('keeps short-lived buffers few', () => {
  const before = process.memoryUsage().arrayBuffers;
  const garbage = new BufferGarbage();
  expect(peakOf((bytes) => garbage.note(bytes)) - before).toBeLessThan(12 * MiB);
});

it('leaves what is in use alone', () => {
  const garbage = new BufferGarbage();
  const kept = Buffer.alloc(MiB, 7);
  peakOf((bytes) => garbage.note(bytes));
  expect(kept.every((byte) => byte === 7)).toBe(true);
});
