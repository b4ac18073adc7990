export {
  complementsOf,
  identifyComplementaryShards,
  type ShardPosition,
  type ShardRole,
  shardRole,
} from './complementary.ts';
export { matrixBytesAtMost } from './matrix-bytes.ts';
export type { PartitionFacts } from './partition-facts.ts';
export {
  RelationshipMatrix,
  type SeparationRules,
  type ShardRelation,
} from './relationship-matrix.ts';
