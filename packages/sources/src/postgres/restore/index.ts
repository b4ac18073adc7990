export { DatabaseSums, databaseSums, type RowSums } from './database-sums.ts';
export type { PostgresSinkOptions } from './options.ts';
export { type PostgresSink, postgresSink } from './postgres-sink.ts';
export {
  type FamilySink,
  type PutBackOptions,
  type PutBackReport,
  putBackFamily,
} from './put-back-family.ts';
export { type ScratchDatabase, scratchDatabase } from './scratch-database.ts';
export type { TableChoice } from './selection.ts';
