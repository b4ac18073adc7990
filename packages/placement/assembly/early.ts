// Which peers ring early for a partition: docs/specs/placement.md, "The hash of a pair", four peers at a time.
// Memory, from address 0: four columns of `count` 32-bit words each: low token words, high token words, limits, and hashes, which
// is where the results go. After these `count` words for the rows found. `count` is a multiple of 8.

// @ts-ignore: decorator
@inline
function mixed(low: v128, high: v128): v128 {
  const m1 = i32x4.splat(0x7feb352d);
  const m2 = i32x4.splat(<i32>0x846ca68b);
  let h = i32x4.mul(v128.xor(low, i32x4.shr_u(low, 16)), m1);
  h = v128.xor(h, i32x4.shr_u(h, 15));
  h = i32x4.mul(i32x4.add(h, high), m2);
  h = v128.xor(h, i32x4.shr_u(h, 16));
  h = i32x4.mul(h, m1);
  h = v128.xor(h, i32x4.shr_u(h, 15));
  h = i32x4.mul(h, m2);
  return v128.xor(h, i32x4.shr_u(h, 16));
}

/** Writes rows and hashes of those whose hash is at most their limit, in the order of rows. Gives how many. */
export function early(count: usize, partitionLow: i32, partitionHigh: i32): usize {
  const bytes = count << 2;
  const low = i32x4.splat(partitionLow);
  const high = i32x4.splat(partitionHigh);
  let found: usize = 0;
  for (let at: usize = 0; at < bytes; at += 32) {
    const h0 = mixed(
      v128.xor(v128.load(at), low),
      v128.xor(v128.load(at + bytes), high),
    );
    const h1 = mixed(
      v128.xor(v128.load(at + 16), low),
      v128.xor(v128.load(at + bytes + 16), high),
    );
    const limits = at + 2 * bytes;
    let mask =
      i32x4.bitmask(i32x4.le_u(h0, v128.load(limits))) |
      (i32x4.bitmask(i32x4.le_u(h1, v128.load(limits + 16))) << 4);
    if (mask == 0) continue;
    // Hashes land in their own row's place first, so that a lane can be picked by its number.
    const hashes = at + 3 * bytes;
    v128.store(hashes, h0);
    v128.store(hashes + 16, h1);
    for (; mask != 0; mask &= mask - 1) {
      const lane = ctz(mask);
      store<u32>(4 * bytes + (found << 2), <u32>(at >> 2) + lane);
      found += 1;
    }
  }
  return found;
}
