export { type OpenCatalogOptions, openCatalog } from './open-catalog.ts';
export { lockVault, type VaultLock } from './vault-lock.ts';
