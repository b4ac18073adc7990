import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HoldfastError } from '@holdfast/contracts';
import { type Document, isMap } from 'yaml';
import { configPath, loadConfig, parseConfig, readConfig } from './load.ts';
import { type Config, helpersProblem } from './schema.ts';

/** As written in the file: defaults left out. */
export type WrittenSource = Readonly<Record<string, unknown>> & { readonly kind: string };

/** Adds or replaces a source in the file, keeping comments and order. ALREADY_EXISTS unless `replace`. */
export async function addSource(
  vault: string,
  name: string,
  source: WrittenSource,
  replace: boolean,
): Promise<Config> {
  return editConfig(vault, (document, config) => {
    if (name in config.sources && !replace) {
      throw new HoldfastError('ALREADY_EXISTS', `There is a source "${name}" already.`, {
        hint: 'Choose another name, or add --replace. Snapshots of one name form one history.',
        details: { source: name },
      });
    }
    const sources: unknown = document.get('sources', true);
    if (isMap(sources)) sources.flow = false;
    // The command line says what is backed up; when, stays as it was.
    const kept = (source.kind === 'stdin' ? [] : ['schedule', 'hooks']).map(
      (setting) => [setting, document.getIn(['sources', name, setting], true)] as const,
    );
    document.setIn(['sources', name], document.createNode(source));
    for (const [setting, value] of kept) {
      if (value !== undefined) document.setIn(['sources', name, setting], value);
    }
  });
}

/** NOT_FOUND when there is none. Its snapshots stay. */
export async function removeSource(vault: string, name: string): Promise<Config> {
  return editConfig(vault, (document, config) => {
    if (!(name in config.sources)) throw unknownSource(name, config);
    document.deleteIn(['sources', name]);
    const sources: unknown = document.get('sources', true);
    // A block map without members would be written as nothing, which reads as null.
    if (isMap(sources) && sources.items.length === 0) sources.flow = true;
  });
}

/** Settings by section. */
export interface WrittenPlan {
  readonly policy: { readonly k: number; readonly m: number; readonly maxPerOperator: number };
  readonly placement: {
    readonly maxPerRegion?: number;
    readonly minContinents?: number;
    readonly maxPerFailureDomain?: number;
  };
}

/**
 * Puts another code, and limits of placement with it, into the configuration and counts the policy's version up; nothing is written
 * when all is there already. Helpers that the new shape has no Clay code for give way to plain Reed–Solomon.
 */
export async function setPlan(
  vault: string,
  plan: WrittenPlan,
): Promise<{ config: Config; changed: boolean }> {
  const before = await loadConfig(vault);
  const { policy, placement } = before;
  const changes = [
    ...changesIn('policy', plan.policy, policy),
    ...changesIn('placement', plan.placement, placement),
  ];
  if (changes.length === 0) return { config: before, changed: false };
  const config = await editConfig(vault, (document) => {
    for (const [path, value] of changes) document.setIn(path, value);
    if (helpersProblem({ ...plan.policy, helpers: policy.helpers }) !== null) {
      document.setIn(['policy', 'helpers'], 0);
    }
    document.setIn(['policy', 'version'], policy.version + 1);
  });
  return { config, changed: true };
}

/** Those that differ, with their paths. */
function changesIn(
  section: string,
  wanted: Readonly<Record<string, number>>,
  present: object,
): [string[], number][] {
  return Object.entries(wanted).flatMap(([name, value]) =>
    Reflect.get(present, name) === value ? [] : [[[section, name], value] as [string[], number]],
  );
}

export function unknownSource(name: string, config: Config): HoldfastError {
  const names = Object.keys(config.sources);
  return new HoldfastError('NOT_FOUND', `There is no source "${name}".`, {
    hint: names.length > 0 ? `Configured: ${names.join(', ')}.` : 'Add one with "holdfast source add".',
    details: { source: name, configured: names },
  });
}

async function editConfig(
  vault: string,
  change: (document: Document, config: Config) => void,
): Promise<Config> {
  const path = configPath(vault);
  const { config, document } = parseConfig(await readConfig(vault), path);
  change(document, config);
  const text = document.toString({ lineWidth: 0 });
  // Read back before it replaces the old one: a file that we wrote must never be one that we refuse.
  const edited = parseConfig(text, path).config;
  await replaceFile(path, text);
  return edited;
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.holdfast-${process.pid}.yaml.partial`);
  try {
    await using file = await open(temporary, 'wx', 0o600);
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw new HoldfastError('DISK_FULL', `${path} could not be written.`, {
      cause: error,
      hint: 'Check space and permissions.',
    });
  }
  await rename(temporary, path);
}
