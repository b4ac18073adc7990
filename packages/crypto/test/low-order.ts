/** Curve25519's points of order 1, 2, 4 and 8 on curve and twist, and the other spellings of them: RFC 7748 §6.1. */
export const LOW_ORDER_POINTS = [
  // 0, 1, p − 1, p, p + 1
  `00${'00'.repeat(31)}`,
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
  // The two of order 8.
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  // Zero once more, with the bit that X25519 ignores.
  `00${'00'.repeat(30)}80`,
];
