import type { Target } from '../target.ts';

/** Loaded apart, since every function that is known costs time when coverage is read. */
const GROUPS = {
  content: async () => (await import('./content.ts')).contentTargets,
  signed: async () => (await import('./signed.ts')).signedTargets,
  cache: async () => (await import('./cache.ts')).cacheTargets,
  wire: async () => (await import('./wire.ts')).wireTargets,
  keys: async () => (await import('./keys.ts')).keyTargets,
  membership: async () => (await import('./membership.ts')).membershipTargets,
  stored: async () => (await import('./stored.ts')).storedTargets,
  sqlite: async () => (await import('./sqlite.ts')).sqliteTargets,
  kernel: async () => (await import('./kernel.ts')).kernelTargets,
  rows: async () => (await import('./rows.ts')).rowTargets,
  corruption: async () => (await import('./corruption.ts')).corruptionTargets,
} as const satisfies Readonly<Record<string, () => Promise<readonly Target[]>>>;

export type Group = keyof typeof GROUPS;

export async function targetsOf(group: Group): Promise<readonly Target[]> {
  return GROUPS[group]();
}

export interface Listed {
  readonly group: Group;
  readonly target: Target;
}

export async function allTargets(): Promise<readonly Listed[]> {
  const groups = Object.keys(GROUPS) as Group[];
  const listed = await Promise.all(
    groups.map(async (group) => (await targetsOf(group)).map((target) => ({ group, target }))),
  );
  return listed.flat();
}
