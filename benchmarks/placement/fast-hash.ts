/**
 * 32 bits from two or three words, for the schemes that ours is compared with: the same multipliers and shifts as in our own
 * hash of pairs (lowbias32: Wellons, "Prospecting for Hash Functions", 2018), so that what differs is how schemes use it.
 * CRUSH's own, Jenkins's of 1997, takes several times as long.
 */
export function mix(a: number, b: number, c = 0): number {
  let h = a ^ Math.imul(b, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h ^= h >>> 15;
  h = Math.imul((h + c) | 0, 0x846ca68b);
  h ^= h >>> 16;
  h = Math.imul(h, 0x7feb352d);
  h ^= h >>> 15;
  h = Math.imul(h, 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

/** An id's 32 bits. ASCII. */
export function textHash(text: string): number {
  let h = text.length;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix(h, text.length);
}
