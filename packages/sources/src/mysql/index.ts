export { MysqlDatabaseSums } from './database-sums.ts';
export { type MysqlSourceOptions, mysqlSource } from './read/mysql-source.ts';
export { type MysqlSink, type MysqlSinkOptions, mysqlSink } from './restore/mysql-sink.ts';
export { type MysqlScratchDatabase, mysqlScratchDatabase } from './scratch-database.ts';
