/** The checksum of data pages, as PostgreSQL computes it: 32 FNV-1a sums side by side, folded. */
const LANES = 32;
const PRIME = 16_777_619;
const OFFSETS = Uint32Array.of(
  0x5b1f36e9,
  0xb8525960,
  0x02ab50aa,
  0x1de66d2a,
  0x79ff467a,
  0x9bb9f8a3,
  0x217e7cd2,
  0x83e13d2c,
  0xf8d4474f,
  0xe39eb970,
  0x42c6ae16,
  0x993216fa,
  0x7b093b5d,
  0x98daff3c,
  0xf718902a,
  0x0b1c9cdb,
  0xe58f764b,
  0x187636bc,
  0x5d7b3bb1,
  0xe73de7de,
  0x92bec979,
  0xcca6c0b2,
  0x304a0979,
  0x85aa43d4,
  0x783125bb,
  0x6ca8eaa2,
  0xe407eac6,
  0x4b5cfc3e,
  0x9fbf8c76,
  0x15ca20be,
  0xf2ca9fd3,
  0x959bd756,
);

/** Where a page's header has the checksum: 2 bytes. */
const CHECKSUM_AT = 8;
const UPPER_AT = 14;

const sums = new Uint32Array(LANES);

/** @param block the page's number within the relation. @param page a whole page. */
export function pageChecksum(page: Buffer, block: number): number {
  sums.set(OFFSETS);
  for (let at = 0, lane = 0; at < page.length; at += 4, lane = (lane + 1) % LANES) {
    let value = page.readUInt32LE(at);
    // The checksum itself counts as zero.
    if (at === CHECKSUM_AT) value &= 0xffff_0000;
    const mixed = sums[lane]! ^ value;
    sums[lane] = Math.imul(mixed, PRIME) ^ (mixed >>> 17);
  }
  let folded = 0;
  for (let lane = 0; lane < LANES; lane++) {
    let sum = sums[lane]!;
    for (let round = 0; round < 2; round++) sum = Math.imul(sum, PRIME) ^ (sum >>> 17);
    folded ^= sum;
  }
  return (((folded ^ block) >>> 0) % 65_535) + 1;
}

/**
 * Whether a page is as it was written. Pages changed since `startLsn` may be read half old and half new: WAL
 * holds them whole. So those are not judged, nor are pages that were never used.
 */
export function isPageSound(page: Buffer, block: number, startLsn: bigint): boolean {
  if (page.readUInt16LE(UPPER_AT) === 0) return true;
  const lsn = (BigInt(page.readUInt32LE(0)) << 32n) | BigInt(page.readUInt32LE(4));
  return lsn >= startLsn || page.readUInt16LE(CHECKSUM_AT) === pageChecksum(page, block);
}
