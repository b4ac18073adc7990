import { type CodeShape, peersOf } from './code-shape.ts';

/**
 * Unavailability of a partition whose peers are drawn at random, all sets alike, and whose copies fall among them at random;
 * exactly the average over all sets, without listing them. Peers fail independently of each other.
 *
 * table[c, d] is the probability that d of c peers are down when the c are drawn from those looked at so far. The i-th peer is
 * among them with probability c / i, so that one more costs a pass over the table, and nothing is ever as large as a
 * binomial coefficient.
 * @param failures of at least as many peers as the shape needs
 */
export function averageUnavailability(shape: CodeShape, failures: readonly number[]): number {
  const need = peersOf(shape);
  const width = need + 1;
  const table = new Float64Array(width * width);
  table[0] = 1;
  for (const [i, failure] of failures.entries()) addPeer(table, width, i + 1, failure);
  const lost = lostBeyondParity(shape);
  const all = table.subarray(need * width).reduceRight((sum, chance, down) => sum + chance * lost[down]!, 0);
  return Math.min(1, all);
}

/** Rows from the last to the first, since each is made of the old one before it. */
function addPeer(table: Float64Array, width: number, position: number, failure: number): void {
  for (let drawn = width - 1; drawn > 0; drawn--) {
    const among = drawn / position;
    for (let down = drawn; down >= 0; down--) {
      const before = (drawn - 1) * width + down;
      const joins = (1 - failure) * table[before]! + (down > 0 ? failure * table[before - 1]! : 0);
      table[drawn * width + down] = (1 - among) * table[drawn * width + down]! + among * joins;
    }
  }
}

/**
 * By number of peers down: the probability that more than m shards have all their copies among them, when any peers are as likely
 * as any others. From the last shard to the first, over how many are still down among the remaining peers and how many
 * shards may still be lost.
 */
export function lostBeyondParity(shape: CodeShape): Float64Array {
  const { m, copies } = shape;
  const need = peersOf(shape);
  // Column 0: one too many is lost. Column s + 1: s more may be lost.
  let columns: Float64Array[] = Array.from(
    { length: m + 2 },
    (_, spare) => new Float64Array([spare === 0 ? 1 : 0]),
  );
  for (let peers = copies; peers <= need; peers += copies) columns = withOneMoreShard(columns, peers, copies);
  return columns[m + 1]!;
}

function withOneMoreShard(after: readonly Float64Array[], peers: number, copies: number): Float64Array[] {
  const chances = Array.from({ length: peers + 1 }, (_, down) => hypergeometric(down, peers, copies));
  return after.map((_, spare) => {
    if (spare === 0) return new Float64Array(peers + 1).fill(1);
    return Float64Array.from(chances, (chance, down) =>
      chance.reduce((sum, probability, here) => {
        const next = after[here === copies ? spare - 1 : spare]!;
        return probability === 0 ? sum : sum + probability * next[down - here]!;
      }, 0),
    );
  });
}

/** Probability that 0, 1, … `copies` of the `down` peers are among the first `copies` of `peers`. */
function hypergeometric(down: number, peers: number, copies: number): number[] {
  let chances = [1];
  for (let seen = 0; seen < copies; seen++) {
    const next = new Array<number>(chances.length + 1).fill(0);
    for (const [found, chance] of chances.entries()) {
      const isDown = Math.max(0, down - found) / (peers - seen);
      next[found]! += chance * (1 - Math.min(1, isDown));
      next[found + 1]! += chance * Math.min(1, isDown);
    }
    chances = next;
  }
  return chances;
}
