import { configuredPath } from '../config/load.ts';
import type { SourceConfig } from '../config/schema.ts';

export type DatabaseConfig = Extract<SourceConfig, { kind: 'postgres' | 'mysql' }>;

/** The same without members that are undefined. */
type Present<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** What the configuration says of a server and its tables, paths absolute, as the sources take it. */
export function databaseOptions<T extends DatabaseConfig>(source: T, vault: string) {
  // What is left out is about running the source, not about reading it.
  const { schedule: _, hooks: __, drill: ___, kind: ____, tls, passwordFile, ...all } = source;
  const { protect: _____, ...rest } = { protect: undefined, ...all };
  return withoutUndefined({
    ...rest,
    passwordFile: passwordFile === undefined ? undefined : configuredPath(passwordFile, vault),
    tls: withoutUndefined({
      mode: tls.mode,
      ca: tls.ca === undefined ? undefined : configuredPath(tls.ca, vault),
    }),
  });
}

function withoutUndefined<T extends object>(value: T): Present<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Present<T>;
}
