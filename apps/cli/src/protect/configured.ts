import { HoldfastError } from '@holdfast/contracts';
import type { ProtectConfig } from '../config/database-schema.ts';
import type { Config, SourceConfig } from '../config/schema.ts';
import { selectSources } from '../vault/sources.ts';

export type ProtectedConfig = Extract<SourceConfig, { kind: 'postgres' }> & {
  readonly protect: ProtectConfig;
};

/** NOT_FOUND for a name that is not configured, CONFIG_INVALID for a source that is not protected. */
export function protectedSource(config: Config, name: string): ProtectedConfig {
  const [[, source]] = selectSources(config, [name]) as [[string, SourceConfig]];
  if (isProtected(source)) return source;
  if (source.kind !== 'postgres')
    throw new HoldfastError(
      'USAGE',
      `Continuous protection is for postgres; "${name}" is of kind ${source.kind}.`,
      {
        hint: 'Back it up by schedule instead: docs/configuration.md.',
      },
    );
  throw new HoldfastError('CONFIG_INVALID', `"${name}" is not under continuous protection.`, {
    hint: `Add "protect: {}" to sources.${name} in holdfast.yaml; docs/configuration.md has its settings.`,
    details: { source: name },
  });
}

export const isProtected = (source: SourceConfig): source is ProtectedConfig =>
  source.kind === 'postgres' && source.protect !== undefined;

export const protectedSources = (config: Config): [string, ProtectedConfig][] =>
  Object.entries(config.sources).filter((entry): entry is [string, ProtectedConfig] => isProtected(entry[1]));
