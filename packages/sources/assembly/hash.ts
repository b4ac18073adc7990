// The universal hash of docs/specs/rows.md, "Hash", up to its last step: NH in four Toeplitz passes over blocks, the same
// again over their digests until one is left, and a multilinear fold of that and the length.
import { BLOCK, BLOCKS, DIGEST, FOLD_KEYS, KEYS, LEVEL_KEY, LEVELS, MASKS } from './layout';

// @ts-ignore: decorator
@inline
function product(m0: v128, m1: v128, key: usize): v128 {
  const x = i32x4.add(m0, v128.load(key));
  const y = i32x4.add(m1, v128.load(key, 16));
  return i64x2.add(i64x2.extmul_low_i32x4_u(x, y), i64x2.extmul_high_i32x4_u(x, y));
}

// @ts-ignore: decorator
@inline
function total(sums: v128): i64 {
  return i64x2.extract_lane(sums, 0) + i64x2.extract_lane(sums, 1);
}

/** Digest of at most a block. Up to 31 bytes behind it are read, and count as zeros. */
function nh(at: usize, bytes: usize, key: usize): void {
  let s0 = i64x2.splat(0);
  let s1 = i64x2.splat(0);
  let s2 = i64x2.splat(0);
  let s3 = i64x2.splat(0);
  for (const end = at + (bytes & ~31); at < end; at += 32, key += 32) {
    const m0 = v128.load(at);
    const m1 = v128.load(at, 16);
    s0 = i64x2.add(s0, product(m0, m1, key));
    s1 = i64x2.add(s1, product(m0, m1, key + 32));
    s2 = i64x2.add(s2, product(m0, m1, key + 64));
    s3 = i64x2.add(s3, product(m0, m1, key + 96));
  }
  const rest = bytes & 31;
  if (rest != 0) {
    const mask = MASKS + 32 - rest;
    const m0 = v128.and(v128.load(at), v128.load(mask));
    const m1 = v128.and(v128.load(at, 16), v128.load(mask, 16));
    s0 = i64x2.add(s0, product(m0, m1, key));
    s1 = i64x2.add(s1, product(m0, m1, key + 32));
    s2 = i64x2.add(s2, product(m0, m1, key + 64));
    s3 = i64x2.add(s3, product(m0, m1, key + 96));
  }
  store<i64>(DIGEST, total(s0));
  store<i64>(DIGEST, total(s1), 8);
  store<i64>(DIGEST, total(s2), 16);
  store<i64>(DIGEST, total(s3), 24);
}

/** Bytes in the block of each level from 1, packed as memory so that levels can be looped over. */
const FILLS: usize = BLOCKS + LEVELS * BLOCK;
let top: usize = 0;

/** Puts the digest into the block of a level. A full block gives way only now: if nothing came, it would be the root. */
function climb(level: usize): void {
  const fills = FILLS + (level << 2);
  let fill = load<u32>(fills);
  const block = BLOCKS + level * BLOCK;
  if (level > top) {
    top = level;
    fill = 0;
  }
  if (fill == <u32>BLOCK) {
    const low = v128.load(DIGEST);
    const high = v128.load(DIGEST, 16);
    nh(block, BLOCK, KEYS + level * LEVEL_KEY);
    climb(level + 1);
    v128.store(DIGEST, low);
    v128.store(DIGEST, high, 16);
    fill = 0;
  }
  v128.store(block + fill, v128.load(DIGEST));
  v128.store(block + fill, v128.load(DIGEST, 16), 16);
  store<u32>(fills, fill + 32);
}

/** A row's next bytes, whole blocks, of which at least one more byte will follow. */
export function absorb(at: usize, bytes: usize): void {
  for (const end = at + bytes; at < end; at += BLOCK) {
    nh(at, BLOCK, KEYS);
    climb(1);
  }
}

/** The last bytes of a row of `length` bytes: writes its 128 bits to `into`. */
export function finish(at: usize, bytes: usize, length: u64, into: usize): void {
  if (bytes > BLOCK) {
    const whole = (bytes - 1) & ~(BLOCK - 1);
    absorb(at, whole);
    at += whole;
    bytes -= whole;
  }
  nh(at, bytes, KEYS);
  for (let level: usize = 1; level <= top; level++) {
    climb(level);
    nh(BLOCKS + level * BLOCK, load<u32>(FILLS + (level << 2)), KEYS + level * LEVEL_KEY);
  }
  top = 0;
  fold(length, into);
}

// @ts-ignore: decorator
@inline
function folded(key: usize, length: u64): u32 {
  let sum = load<u64>(key);
  sum += <u64>load<u32>(DIGEST) * load<u64>(key, 8);
  sum += <u64>load<u32>(DIGEST, 4) * load<u64>(key, 16);
  sum += <u64>load<u32>(DIGEST, 8) * load<u64>(key, 24);
  sum += <u64>load<u32>(DIGEST, 12) * load<u64>(key, 32);
  sum += <u64>load<u32>(DIGEST, 16) * load<u64>(key, 40);
  sum += <u64>load<u32>(DIGEST, 20) * load<u64>(key, 48);
  sum += <u64>load<u32>(DIGEST, 24) * load<u64>(key, 56);
  sum += <u64>load<u32>(DIGEST, 28) * load<u64>(key, 64);
  sum += (length & 0xffff_ffff) * load<u64>(key, 72);
  sum += (length >> 32) * load<u64>(key, 80);
  return <u32>(sum >> 32);
}

function fold(length: u64, into: usize): void {
  store<u32>(into, folded(FOLD_KEYS, length));
  store<u32>(into, folded(FOLD_KEYS + 88, length), 4);
  store<u32>(into, folded(FOLD_KEYS + 176, length), 8);
  store<u32>(into, folded(FOLD_KEYS + 264, length), 12);
}
