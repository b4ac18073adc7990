import { HoldfastError } from '@holdfast/contracts';
import { isDatabaseUrl } from '../config/database-url.ts';
import { flagOf, type RestoreOptions } from './restore-options.ts';

const NOT_WITH_A_MOMENT = [
  'source',
  'table',
  'window',
  'family',
  'without',
  'putBack',
  'where',
  'format',
  'jobs',
  'passwordFile',
  'passwordEnv',
  'createRoles',
  'terminateSessions',
] as const;

const ONLY_WITH_A_MOMENT = ['start', 'tablespace'] as const;

/** USAGE for options that mean nothing with `--at`, or nothing without it. */
export function checkMomentOptions(options: RestoreOptions): void {
  const names = options.at === undefined ? ONLY_WITH_A_MOMENT : NOT_WITH_A_MOMENT;
  const [wrong] = names.filter((name) => options[name] !== undefined);
  const flag = wrong === undefined ? null : flagOf(wrong);
  if (options.at === undefined) {
    if (flag)
      throw new HoldfastError('USAGE', `${flag} goes with --at.`, { hint: 'Add --at latest, or a moment.' });
    return;
  }
  if (flag || options.owner === false) {
    throw new HoldfastError(
      'USAGE',
      `${flag ?? '--no-owner'} does not go with --at, which restores a whole server.`,
      {
        hint: 'Leave it out. Parts can be dumped from the restored server.',
      },
    );
  }
  if (options.to === '-' || isDatabaseUrl(options.to)) {
    throw new HoldfastError(
      'USAGE',
      'With --at a data directory is restored, not into a server or a stream.',
      {
        hint: 'Name a new directory: --to DIRECTORY',
      },
    );
  }
}

/** `OLD=NEW`: the old one by its path on the server or by its number. USAGE. */
export function tablespacePlaces(given: readonly string[] = []): Map<string, string> {
  return new Map(
    given.map((text) => {
      const at = text.indexOf('=');
      if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)];
      throw new HoldfastError('USAGE', `--tablespace ${text} does not say from where to where.`, {
        hint: 'Write OLD=NEW, such as --tablespace /mnt/fast=/srv/fast',
      });
    }),
  );
}
