import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCatalog } from '@holdfast/catalog';
import type { Catalog } from '@holdfast/contracts';
import { type CatalogFixture, describeCatalogContract } from '@holdfast/testing/catalog-contract';
import { MemoryCatalog } from '@holdfast/testing/memory-catalog';

describeCatalogContract('memory', async (options) => ({
  catalog: new MemoryCatalog(options),
  remove: async () => {},
}));

describeCatalogContract('SQLite', async ({ clock }) => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-catalog-'));
  const catalog = await openCatalog(join(directory, 'catalog.db'), { clock });
  return {
    catalog,
    async remove() {
      await catalog.close();
      rmSync(directory, { recursive: true });
    },
  };
});

describeCatalogContract('SQLite, opened anew for each call', async ({ clock }): Promise<CatalogFixture> => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-catalog-'));
  const once = async (method: keyof Catalog, parameters: unknown[]): Promise<unknown> => {
    const catalog = await openCatalog(join(directory, 'catalog.db'), { clock });
    try {
      return await (catalog[method] as (...p: unknown[]) => Promise<unknown>)(...parameters);
    } finally {
      await catalog.close();
    }
  };
  // One after the other: two writers in one thread would wait for each other without ever yielding.
  let last: Promise<unknown> = Promise.resolve();
  const queued = (method: keyof Catalog, parameters: unknown[]): Promise<unknown> => {
    const result = last.then(() => once(method, parameters));
    last = result.catch(() => {});
    return result;
  };
  const catalog = new Proxy({} as Catalog, {
    get:
      (_, method) =>
      (...parameters: unknown[]) =>
        queued(method as keyof Catalog, parameters),
  });
  return { catalog, remove: async () => rmSync(directory, { recursive: true }) };
});
