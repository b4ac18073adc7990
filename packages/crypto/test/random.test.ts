import { describe, expect, it } from 'vitest';
import { systemRandom } from '../src/index.ts';

describe('systemRandom', () => {
  it('gives bytes of its own', () => {
    expect(systemRandom.bytes(0)).toHaveLength(0);
    const [a, b] = [systemRandom.bytes(32), systemRandom.bytes(32)];
    expect(Buffer.from(a).equals(b)).toBe(false);
    expect(a.buffer.byteLength).toBe(32);
  });

  it('gives version 4 UUIDs', () => {
    expect(systemRandom.uuid()).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it('is uniform in [0, 1)', () => {
    const counts = new Array<number>(16).fill(0);
    const runs = 32_000;
    for (let run = 0; run < runs; run++) {
      const value = systemRandom.uniform();
      expect(value >= 0 && value < 1).toBe(true);
      counts[Math.floor(value * 16)]!++;
    }
    // Six standard deviations of a binomial (32 000, 1/16).
    for (const count of counts) expect(Math.abs(count - runs / 16)).toBeLessThan(6 * 43.4);
  });
});
