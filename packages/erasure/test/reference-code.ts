/**
 * The code of docs/specs/erasure.md once more, as slowly and plainly as possible and sharing nothing with the package:
 * shift-and-add multiplication, inverses by search, decoding by elimination over the whole generator matrix.
 */
export function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product <<= 1;
    if (product & 0x100) product ^= 0x11d;
    if ((b >> bit) & 1) product ^= a;
  }
  return product;
}

const INVERSES = Array.from({ length: 256 }, (_, a) => {
  for (let b = 1; b < 256; b++) if (times(a, b) === 1) return b;
  return 0;
});

export const divide = (a: number, b: number): number => times(a, INVERSES[b]!);

/** (x_j + y_0)(x_0 + y_i) / ((x_j + y_i)(x_0 + y_0)), with x_j = 255 − j and y_i = i. */
export function cell(j: number, i: number): number {
  return divide(times(255 - j, 255 ^ i), times((255 - j) ^ i, 255));
}

export function generatorRow(k: number, shard: number): number[] {
  return Array.from({ length: k }, (_, i) => (shard < k ? Number(shard === i) : cell(shard - k, i)));
}

export function combine(
  row: readonly number[],
  shards: readonly Uint8Array[],
  bytes: number,
): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(bytes);
  row.forEach((factor, column) => {
    const table = Uint8Array.from({ length: 256 }, (_, value) => times(factor, value));
    const shard = shards[column]!;
    for (let at = 0; at < bytes; at++) result[at] = result[at]! ^ table[shard[at]!]!;
  });
  return result;
}

/** Solves for the primaries from any k shards. `null` when they do not determine them. */
export function decode(
  k: number,
  indices: readonly number[],
  shards: readonly Uint8Array[],
  bytes: number,
): Uint8Array[] | null {
  const rows = indices
    .slice(0, k)
    .map((index, at) => ({ left: generatorRow(k, index), right: Uint8Array.from(shards[at]!) }));
  for (let column = 0; column < k; column++) {
    const pivot = rows.findIndex((row, at) => at >= column && row.left[column] !== 0);
    if (pivot < 0) return null;
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const chosen = rows[column]!;
    const factor = divide(1, chosen.left[column]!);
    chosen.left = chosen.left.map((value) => times(value, factor));
    chosen.right = combine([factor], [chosen.right], bytes);
    for (const row of rows) {
      const multiple = row.left[column]!;
      if (row === chosen || multiple === 0) continue;
      row.left = row.left.map((value, at) => value ^ times(multiple, chosen.left[at]!));
      row.right = combine([1, multiple], [row.right, chosen.right], bytes);
    }
  }
  return rows.map((row) => row.right);
}
