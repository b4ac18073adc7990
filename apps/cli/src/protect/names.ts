import { join } from 'node:path';
import { vaultLayout } from '../vault/layout.ts';

export type Physical = 'base' | 'wal';

export const PHYSICAL: readonly Physical[] = ['base', 'wal'];

/** What the snapshots of a protected source are stored under. No configured source may have such a name then. */
export const physicalName = (source: string, what: Physical): string => `${source}.${what}`;

export const physicalKind = (what: Physical): string => `postgres-${what}`;

export const isPhysicalKind = (kind: string): boolean => PHYSICAL.some((what) => physicalKind(what) === kind);

/** Where what is known of a protected source lies in the vault. All of it can be made anew. */
export function protectLayout(vault: string, source: string) {
  const { protect } = vaultLayout(vault);
  return {
    directory: protect,
    /** What the stored snapshots are good for, a line each. */
    facts: join(protect, `${source}.jsonl`),
    /** How far protection is, written every few seconds while it runs. */
    state: join(protect, `${source}.state.json`),
    /** Locked while it runs. */
    lock: join(protect, `${source}.lock`),
  };
}
