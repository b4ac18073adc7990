import { describe, expect, it } from 'vitest';
import { clockContract } from '../src/clock-contract.ts';
import { MemoryClock } from '../src/memory-clock.ts';
import { randomContract } from '../src/random-contract.ts';
import { seededRandom } from '../src/seeded-random.ts';

clockContract('memory', () => {
  const clock = new MemoryClock();
  return { clock, pass: (milliseconds) => clock.advance(milliseconds), timers: () => clock.sleepers };
});

randomContract('seeded', () => seededRandom(7));

describe('seededRandom', () => {
  it('repeats itself for the same seed and only for that', () => {
    const draw = (seed: number) => {
      const random = seededRandom(seed);
      return [random.uuid(), random.uniform(), [...random.bytes(5)]];
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });
});
