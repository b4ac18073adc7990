// The rolling hash of docs/specs/chunking.md over a window of content that the caller copies into memory.
// Memory: 256 64-bit table entries from address 0; the window wherever the caller likes above them.

let hash: u64 = 0;
let thresholdBefore: u64 = 0;
let thresholdAfter: u64 = 0;

/** Hashes below the first threshold are borders before the normal length, below the second after it. */
export function configure(before: u64, after: u64): void {
  thresholdBefore = before;
  thresholdAfter = after;
}

// Masking the scaled byte lets the compiler use it as an address without widening it first: 60 % faster.
// @ts-ignore: decorator
@inline
function rolled(h: u64, at: usize, offset: usize): u64 {
  return (h << 1) + load<u64>((<u32>load<u8>(at + offset) << 3) & 2040);
}

/** Starts afresh with the bytes from `from` to before `to`, looking for nothing. */
export function warm(from: usize, to: usize): void {
  let h: u64 = 0;
  for (let at = from; at < to; at++) h = rolled(h, at, 0);
  hash = h;
}

/**
 * Goes on with the bytes from `from` to before `to`. Gives the address after the first byte that ends a chunk, or 0
 * (no content lies at address 0) when none does; only then may the scan go on with later bytes.
 */
export function scan(from: usize, to: usize, after: bool): usize {
  const threshold = after ? thresholdAfter : thresholdBefore;
  let h = hash;
  let at = from;
  for (const end = from + ((to - from) & ~7); at < end; at += 8) {
    h = rolled(h, at, 0); if (h < threshold) return at + 1;
    h = rolled(h, at, 1); if (h < threshold) return at + 2;
    h = rolled(h, at, 2); if (h < threshold) return at + 3;
    h = rolled(h, at, 3); if (h < threshold) return at + 4;
    h = rolled(h, at, 4); if (h < threshold) return at + 5;
    h = rolled(h, at, 5); if (h < threshold) return at + 6;
    h = rolled(h, at, 6); if (h < threshold) return at + 7;
    h = rolled(h, at, 7); if (h < threshold) return at + 8;
  }
  for (; at < to; at++) {
    h = rolled(h, at, 0); if (h < threshold) return at + 1;
  }
  hash = h;
  return 0;
}
