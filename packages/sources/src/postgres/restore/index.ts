export type { PostgresSinkOptions } from './options.ts';
export { type PostgresSink, postgresSink } from './postgres-sink.ts';
export type { TableChoice } from './selection.ts';
