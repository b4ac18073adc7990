import type { Source } from '@holdfast/contracts';
import { sqliteSource, streamSource, treeSource } from '@holdfast/sources';
import { unknownSource } from '../config/edit.ts';
import { configuredPath } from '../config/load.ts';
import type { Config, SourceConfig } from '../config/schema.ts';
import { databaseOptions } from './database-options.ts';

/** The named sources in the order asked, or all of them. NOT_FOUND names what is not configured. */
export function selectSources(config: Config, names: readonly string[]): [string, SourceConfig][] {
  if (names.length === 0) return Object.entries(config.sources);
  return [...new Set(names)].map((name) => {
    const source = Object.hasOwn(config.sources, name) ? config.sources[name] : undefined;
    if (!source) throw unknownSource(name, config);
    return [name, source];
  });
}

/** Drivers of databases are loaded only for those who have one. */
export async function makeSource(source: SourceConfig, vault: string): Promise<Source> {
  switch (source.kind) {
    case 'sqlite':
      return sqliteSource({ path: configuredPath(source.path, vault) });
    case 'tree':
      return treeSource({
        path: configuredPath(source.path, vault),
        exclude: source.exclude,
        oneFileSystem: source.oneFileSystem,
      });
    case 'stdin':
      return streamSource({ stream: process.stdin, name: source.name });
    case 'postgres': {
      const { postgresSource } = await import('@holdfast/sources/postgres');
      return postgresSource(databaseOptions(source, vault));
    }
    case 'mysql': {
      const { mysqlSource } = await import('@holdfast/sources/mysql');
      return mysqlSource(databaseOptions(source, vault));
    }
  }
}
