import { existsSync } from 'node:fs';
import { openCatalog } from '@holdfast/catalog';
import { type Catalog, HoldfastError } from '@holdfast/contracts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { vaultLayout } from './layout.ts';

export interface OpenCatalog {
  readonly config: Config;
  readonly catalog: Catalog;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Just the catalog, for reading: enough for what needs neither keys nor peers. Runs beside a backup. */
export async function openCatalogOf(vault: string): Promise<OpenCatalog> {
  const config = await loadConfig(vault);
  const path = vaultLayout(vault).catalog;
  if (!existsSync(path)) throw catalogMissing(vault);
  const catalog = await openCatalog(path, { readonly: true });
  return { config, catalog, [Symbol.asyncDispose]: () => catalog.close() };
}

/** Making an empty one in its place would look as if nothing had ever been backed up. */
export function catalogMissing(vault: string): HoldfastError {
  return new HoldfastError('CATALOG_CORRUPT', `The catalog of ${vault} is missing.`, {
    hint: 'Put catalog.sqlite back from a copy of the vault.',
    details: { vault },
  });
}
