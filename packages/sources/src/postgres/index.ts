export type { PostgresSourceOptions } from './options.ts';
export { postgresSource } from './postgres-source.ts';
export { type PostgresSink, type PostgresSinkOptions, postgresSink } from './restore/index.ts';
