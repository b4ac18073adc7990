import { CHUNK } from './column.ts';

/** Id 16, first slot 4, k, n and copies 3, siblings 12, heads of its two lists 8, referrers 4. */
const A_PARTITION = 47;
/** A slot of 4 bytes for each partition in a table that grows by a half when it is 70 % full. */
const IN_THE_TABLE = (4 * 1.5) / 0.7;
const A_DEPENDENCY = 9;
const ANOTHER_HOLDER = 13;
/** The last chunk of each column: 13 of words, 5 of bytes, the slots. And the smallest table of each of 1 024 segments. */
const AT_LEAST = (13 * 4 + 5 + 4) * CHUNK + 1024 * 4 * (1 + 9);

/**
 * Bytes that a relationship matrix takes at most, given the most that it ever held of each. Counts of ids include those
 * that are only referred to. A swarm of more than 65 535 peers is a large one.
 */
export function matrixBytesAtMost(most: {
  readonly partitions: number;
  /** Copies counted. */
  readonly shards: number;
  readonly dependencies?: number;
  /** Former holders, and present ones beyond the number of copies. */
  readonly otherHolders?: number;
  readonly largeSwarm?: boolean;
}): number {
  const { partitions, shards, dependencies = 0, otherHolders = 0, largeSwarm = false } = most;
  return Math.ceil(
    AT_LEAST +
      partitions * (A_PARTITION + IN_THE_TABLE) +
      shards * (largeSwarm ? 4 : 2) +
      dependencies * A_DEPENDENCY +
      otherHolders * ANOTHER_HOLDER,
  );
}
