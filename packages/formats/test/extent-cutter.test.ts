import { describe, expect, it } from 'vitest';
import { type Extent, ExtentCutter, MAX_EXTENTS } from '../src/index.ts';

const block = (i: number, partition = 1000 + (i >> 10)): Extent => ({
  kind: 'data',
  partition,
  frame: (i >> 6) & 15,
  offset: (i & 63) * 4096,
  length: 4096,
});

function cut(extents: readonly Extent[]): Extent[][] {
  const cutter = new ExtentCutter();
  const lists = extents.map((extent) => cutter.push(extent)).filter((list) => list !== null);
  return [...lists, cutter.flush()].filter((list) => list !== null);
}

describe('the borders of extent records', () => {
  const before = Array.from({ length: 100_000 }, (_, i) => block(i));

  it('lose nothing and keep within the limit', () => {
    const lists = cut(before);
    expect(lists.flat()).toEqual(before);
    expect(Math.max(...lists.map((list) => list.length))).toBeLessThanOrEqual(MAX_EXTENTS);
    expect(lists.length).toBeGreaterThan(40);
    expect(lists.length).toBeLessThan(250);
  });

  it('come back to where they were soon after an inserted extent', () => {
    const after = [...before.slice(0, 500), block(7, 99_999), block(8, 99_998), ...before.slice(501)];
    const old = new Set(cut(before).map((list) => JSON.stringify(list)));
    const fresh = cut(after).filter((list) => !old.has(JSON.stringify(list)));
    expect(fresh.length).toBeLessThanOrEqual(3);
  });

  it('are bounded where nothing gives a border', () => {
    const holes = Array.from({ length: 10_000 }, (): Extent => ({ kind: 'hole', length: 1 }));
    expect(cut(holes).map((list) => list.length)).toEqual([4096, 4096, 1808]);
    expect(new ExtentCutter().flush()).toBeNull();
  });
});
