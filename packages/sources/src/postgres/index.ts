export type { PostgresSourceOptions } from './options.ts';
export { postgresSource } from './postgres-source.ts';
export * from './restore/index.ts';
