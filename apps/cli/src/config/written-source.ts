import { resolve } from 'node:path';
import { HoldfastError } from '@holdfast/contracts';
import { DATABASE_KINDS, type DatabaseKind, isDatabaseUrl, parseDatabaseUrl } from './database-url.ts';
import type { WrittenSource } from './edit.ts';

/** What `source add` was told. */
export interface AddOptions {
  readonly exclude?: readonly string[];
  readonly oneFileSystem?: boolean;
  readonly include?: readonly string[];
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
  readonly family?: readonly string[];
  readonly time?: readonly string[];
  readonly skipUnchanged?: boolean;
}

const FILE_KINDS = ['sqlite', 'tree', 'stdin'] as const;
const KINDS: readonly string[] = [...FILE_KINDS, ...DATABASE_KINDS];

/** Flags by the kinds of source that they make sense for. */
const MEANT_FOR: readonly [keyof AddOptions, string, readonly string[]][] = [
  ['exclude', '--exclude', ['tree', ...DATABASE_KINDS]],
  ['oneFileSystem', '--one-file-system', ['tree']],
  ['include', '--include', DATABASE_KINDS],
  ['passwordFile', '--password-file', DATABASE_KINDS],
  ['passwordEnv', '--password-env', DATABASE_KINDS],
  ['family', '--family', DATABASE_KINDS],
  ['time', '--time', DATABASE_KINDS],
  ['skipUnchanged', '--skip-unchanged', ['postgres']],
];

/** The source as it is to stand in the file, defaults left out. USAGE for what does not go together. */
export function writtenSource(kind: string, place: string | undefined, options: AddOptions): WrittenSource {
  if (!KINDS.includes(kind)) {
    throw new HoldfastError('USAGE', `There is no kind of source called "${kind}".`, {
      hint: `Choose ${KINDS.slice(0, -1).join(', ')} or ${KINDS.at(-1)}.`,
    });
  }
  for (const [option, flag, kinds] of MEANT_FOR) {
    if (options[option] === undefined || kinds.includes(kind)) continue;
    throw new HoldfastError('USAGE', `${flag} belongs to sources of kind ${kinds.join(', ')}.`, {
      hint: `Leave it out for ${kind}.`,
    });
  }
  if (kind === 'stdin') {
    if (place === undefined) return { kind };
    throw new HoldfastError('USAGE', 'A stdin source has no path.', { hint: 'Leave the path out.' });
  }
  const isDatabase = kind === 'postgres' || kind === 'mysql';
  if (place === undefined) {
    throw new HoldfastError('USAGE', `A ${kind} source needs ${isDatabase ? 'an address' : 'a path'}.`, {
      hint: `holdfast source add NAME ${kind} ${isDatabase ? `${kind}://USER@HOST/DATABASE` : 'PATH'}`,
    });
  }
  return isDatabase ? writtenDatabase(kind, place, options) : writtenPath(kind, place, options);
}

function writtenPath(kind: string, path: string, { exclude, oneFileSystem }: AddOptions): WrittenSource {
  return {
    kind,
    path: resolve(path),
    ...(exclude ? { exclude } : {}),
    ...(oneFileSystem ? { oneFileSystem } : {}),
  };
}

function writtenDatabase(kind: DatabaseKind, place: string, options: AddOptions): WrittenSource {
  const address = isDatabaseUrl(place) ? parseDatabaseUrl(place) : { kind, database: place };
  if (address.kind !== kind) {
    throw new HoldfastError('USAGE', `${place} is the address of another kind of database than ${kind}.`);
  }
  const { include, exclude, passwordFile, passwordEnv, family, time, skipUnchanged } = options;
  return {
    ...address,
    ...(passwordFile === undefined ? {} : { passwordFile: resolve(passwordFile) }),
    ...(passwordEnv === undefined ? {} : { passwordEnv }),
    ...(include ? { include } : {}),
    ...(exclude ? { exclude } : {}),
    ...(family ? { families: writtenFamilies(family) } : {}),
    ...(time ? { time: Object.fromEntries(time.map(writtenTime)) } : {}),
    ...(skipUnchanged ? { skipUnchanged } : {}),
  };
}

/** `users.pii=email,phone`, several for one table. */
function writtenFamilies(texts: readonly string[]): Record<string, Record<string, string[]>> {
  const families: Record<string, Record<string, string[]>> = {};
  for (const text of texts) {
    const parts = /^(.+)\.([^.=]+)=(.+)$/.exec(text);
    if (!parts) {
      throw new HoldfastError('USAGE', `--family ${text} is not understood.`, {
        hint: 'Write TABLE.FAMILY=COLUMN,COLUMN: --family users.pii=email,phone',
      });
    }
    const [, table, family, columns] = parts as unknown as [string, string, string, string];
    families[table] = { ...families[table], [family]: columns.split(',').map((column) => column.trim()) };
  }
  return families;
}

/** `messages=created_at`, `log=at:week`. */
function writtenTime(text: string): [string, string | { column: string; window: string }] {
  const parts = /^(.+?)=([^:]+)(?::(\w+))?$/.exec(text);
  if (!parts) {
    throw new HoldfastError('USAGE', `--time ${text} is not understood.`, {
      hint: 'Write TABLE=COLUMN, with :week or :day for other windows than months: --time messages=created_at',
    });
  }
  const [, table, column, window] = parts as unknown as [string, string, string, string | undefined];
  return [table, window === undefined ? column : { column, window }];
}
