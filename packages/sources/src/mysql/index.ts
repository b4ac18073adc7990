export { type MysqlSourceOptions, mysqlSource } from './read/mysql-source.ts';
