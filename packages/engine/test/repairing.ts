import type { PartitionId, Stripe } from '@holdfast/contracts';
import { expect } from 'vitest';
import type { Policy } from '../src/index.ts';
import { backUp, randomFile } from './content.ts';
import { separationViolations, shardsOf } from './separation.ts';
import { POLICY, type TestVault } from './test-vault.ts';
import { newVault } from './vaults.ts';

export const OBJECTS = [randomFile('a', 9_000_000), randomFile('b', 50_000)];
export const CLAY: Policy = { ...POLICY, k: 4, m: 2, helpers: 5, maxPerOperator: 1 };

interface Prepared {
  readonly vault: TestVault;
  readonly stripes: readonly Stripe[];
}

export async function prepared(policy: Policy = POLICY): Promise<Prepared> {
  const vault = await newVault({ peers: 8, policy });
  const { snapshot } = await backUp(vault.engine, OBJECTS);
  return { vault, stripes: await vault.engine.partitions(snapshot.id) };
}

export const large = (stripes: readonly Stripe[]): Stripe =>
  stripes.find(({ rawSize, sizeClass }) => rawSize > 1_000_000 && sizeClass === 1024 * 1024)!;

export function lose(vault: TestVault, partition: PartitionId, ...indices: number[]): void {
  const places = shardsOf(vault, partition);
  for (const index of indices)
    expect(vault.stores.get(places[index]!.peer)!.lose(places[index]!.id)).toBe(true);
}

/** Everything that the stores hold, with the hashes that they say they have. */
export function holdings(vault: TestVault): Map<string, string> {
  return new Map(
    [...vault.stores].flatMap(([peer, store]) =>
      store.all().map(({ id, hash }) => [`${peer} ${id}`, hash] as const),
    ),
  );
}

export async function expectWhole(vault: TestVault, before: ReadonlyMap<string, string>): Promise<void> {
  expect(holdings(vault)).toEqual(before);
  expect(await vault.engine.verify({ sample: 1 })).toMatchObject({ healthy: true });
  expect(await separationViolations(vault)).toEqual([]);
}
