import { HoldfastError } from '@holdfast/contracts';
import type { RowSelection } from '@holdfast/sources/rows';
import { isDatabaseUrl } from '../config/database-url.ts';

export const EXPORT_FORMATS = ['csv', 'ndjson', 'sql'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** As `restore` was told. */
export interface RestoreOptions {
  readonly source?: string;
  readonly to: string;
  readonly overwrite?: boolean;
  readonly table?: readonly string[];
  readonly family?: readonly string[];
  readonly without?: readonly string[];
  readonly window?: readonly string[];
  readonly where?: string;
  readonly format?: string;
  readonly jobs?: string;
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
  /** False with --no-owner. */
  readonly owner?: boolean;
  readonly createRoles?: boolean;
  readonly terminateSessions?: boolean;
  readonly putBack?: boolean;
  /** A moment of a source under continuous protection. */
  readonly at?: string;
  readonly start?: boolean;
  /** `OLD=NEW`. */
  readonly tablespace?: readonly string[];
}

export const isDatabaseKind = (kind: string): kind is 'postgres' | 'mysql' =>
  kind === 'postgres' || kind === 'mysql';

export const selectionOf = ({ table, family, without, window }: RestoreOptions): RowSelection => ({
  tables: table ?? [],
  families: family ?? [],
  without: without ?? [],
  windows: window ?? [],
});

const FOR_DATABASES = ['table', 'family', 'without', 'window', 'where', 'format'] as const;
const FOR_SERVERS = [
  'jobs',
  'passwordFile',
  'passwordEnv',
  'createRoles',
  'terminateSessions',
  'putBack',
] as const;

export const flagOf = (option: string): string =>
  `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** USAGE for options that mean nothing for such a snapshot, or such a target. */
export function checkRestoreOptions(kind: string, options: RestoreOptions): void {
  const given = (names: readonly (keyof RestoreOptions)[]) =>
    names.filter((name) => options[name] !== undefined);
  const [rowsOnly] = isDatabaseKind(kind) ? [] : given(FOR_DATABASES);
  if (rowsOnly !== undefined) {
    throw new HoldfastError(
      'USAGE',
      `${flagOf(rowsOnly)} is for snapshots of postgres and mysql databases; this is one of ${kind}.`,
      {
        hint: 'Leave it out.',
      },
    );
  }
  const toServer = isDatabaseUrl(options.to);
  const [serverOnly] = toServer ? [] : given(FOR_SERVERS);
  if (serverOnly !== undefined || (options.owner === false && !toServer)) {
    throw new HoldfastError(
      'USAGE',
      `${serverOnly ? flagOf(serverOnly) : '--no-owner'} is for restoring into a database server.`,
      {
        hint: 'Leave it out, or name a database: --to postgres://USER@HOST/DATABASE',
      },
    );
  }
  if (toServer && options.format !== undefined) {
    throw new HoldfastError('USAGE', '--format is for files and standard output; the target is a database.');
  }
  if (options.putBack && options.family?.length !== 1) {
    throw new HoldfastError('USAGE', '--put-back wants exactly one column family.', {
      hint: 'Name it: --put-back --family users.pii',
    });
  }
  if (options.where !== undefined && options.table?.length !== 1) {
    throw new HoldfastError('USAGE', '--where wants exactly one table.', {
      hint: 'Name it: --table messages',
    });
  }
}

/** By --format, else by the file's ending. */
export function exportFormat({ format, to }: RestoreOptions): ExportFormat {
  const found = EXPORT_FORMATS.find((known) => known === (format ?? /\.(\w+)$/.exec(to)?.[1]));
  if (found) return found;
  throw new HoldfastError(
    'USAGE',
    format === undefined ? `How is ${to} to be written?` : `There is no format "${format}".`,
    {
      hint: `Add --format ${EXPORT_FORMATS.join('|')}, or restore into a database: --to postgres://USER@HOST/DATABASE`,
    },
  );
}

/** @returns undefined for the default. */
export function parseJobs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const jobs = Number(text);
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= 64) return jobs;
  throw new HoldfastError('USAGE', `--jobs ${text} is no number from 1 to 64.`);
}
