import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { HoldfastError } from '@holdfast/contracts';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { type ConfigProblem, configProblems, lineOfKey } from './problems.ts';
import { type Config, configSchema } from './schema.ts';

export const CONFIG_FILE = 'holdfast.yaml';

/** Nobody writes more by hand, and a parser should not be handed just anything. */
const MOST_BYTES = 1024 * 1024;

export const configPath = (vault: string): string => join(vault, CONFIG_FILE);

/** CONFIG_MISSING when there is no vault here; CONFIG_INVALID with lines for every mistake in its configuration. */
export async function loadConfig(vault: string): Promise<Config> {
  return parseConfig(await readConfig(vault), configPath(vault)).config;
}

export async function readConfig(vault: string): Promise<string> {
  const path = configPath(vault);
  try {
    const { size } = await stat(path);
    if (size > MOST_BYTES)
      throw new HoldfastError('CONFIG_INVALID', `${path} is ${size} bytes long.`, {
        hint: 'Keep it below 1 MiB.',
      });
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    throw missing(vault, error);
  }
}

/** @param path for messages only. */
export function parseConfig(text: string, path: string): { config: Config; document: Document } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw invalid(
      path,
      document.errors.map((error) => ({
        line: lines.linePos(error.pos[0]).line,
        setting: '',
        message: `not YAML: ${error.message}`,
        suggestion: null,
      })),
    );
  }
  const value = plainValue(document, path);
  const parsed = configSchema.safeParse(value);
  if (!parsed.success)
    throw invalid(path, configProblems(parsed.error.issues, configSchema, value, document, lines));
  return { config: parsed.data, document };
}

/** CONFIG_INVALID for a setting that is well formed and yet wrong, by what else the vault holds. */
export async function settingInvalid(
  vault: string,
  setting: readonly string[],
  message: string,
  suggestion: string | null,
): Promise<HoldfastError> {
  const lines = new LineCounter();
  const document = parseDocument(await readConfig(vault), { lineCounter: lines, prettyErrors: false });
  const line = lineOfKey(document, setting, lines);
  return invalid(configPath(vault), [{ line, setting: setting.join('.'), message, suggestion }]);
}

/** Aliases may lead nowhere, or multiply without bound. */
function plainValue(document: Document, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    const message = `not YAML: ${error instanceof Error ? error.message : String(error)}`;
    throw invalid(path, [{ line: null, setting: '', message, suggestion: null }]);
  }
}

/** Absolute, with `~` for the home directory; what is relative lies below the vault, wherever the command is run. */
export function configuredPath(path: string, vault: string): string {
  if (path === '~' || path.startsWith('~/')) return join(homedir(), path.slice(1));
  return resolve(vault, path);
}

function invalid(path: string, problems: readonly ConfigProblem[]): HoldfastError {
  const told = problems.map((problem) =>
    problem.line === null ? problem.message : `line ${problem.line}: ${problem.message}`,
  );
  const message =
    told.length === 1
      ? `${path}, ${told[0]}.`
      : `${path} has ${told.length} mistakes:\n    ${told.join('\n    ')}`;
  return new HoldfastError('CONFIG_INVALID', message, {
    hint: 'Correct the file; docs/configuration.md explains every setting.',
    details: { path, problems },
  });
}

function missing(vault: string, cause: unknown): HoldfastError {
  const absent =
    cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR');
  if (!absent)
    return new HoldfastError('CONFIG_INVALID', `${configPath(vault)} cannot be read.`, {
      cause,
      hint: 'Check its permissions.',
    });
  return new HoldfastError('CONFIG_MISSING', `There is no vault in ${vault}.`, {
    hint: 'Create one with "holdfast init", or name an existing one with --vault DIR or HOLDFAST_VAULT.',
    details: { vault },
  });
}
