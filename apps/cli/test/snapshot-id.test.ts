import type { Catalog, SnapshotRecord } from '@holdfast/contracts';
import { describe, expect, it } from 'vitest';
import { findSnapshot, shortId } from '../src/vault/snapshot-id.ts';

const IDS = [
  ['3f9c21d0-1111-4111-8111-111111111111', 'app'],
  ['3f9c77aa-2222-4222-8222-222222222222', 'app'],
  ['a1b2c3d4-3333-4333-8333-333333333333', 'home'],
] as const;

const catalogOf = (ids: readonly (readonly [string, string])[]) =>
  ({
    snapshots: async (filter: { source?: string } = {}) =>
      ids
        .map(([id, source], i) => ({ id, source, sequence: i + 1 }) as unknown as SnapshotRecord)
        .filter((snapshot) => filter.source === undefined || snapshot.source === filter.source),
  }) as unknown as Catalog;

const catalog = catalogOf(IDS);

describe('naming a snapshot', () => {
  it('by id, or by the beginning of one', async () => {
    for (const [id] of IDS) {
      expect((await findSnapshot(catalog, id)).id).toBe(id);
      expect((await findSnapshot(catalog, shortId(id))).id).toBe(id);
    }
    expect((await findSnapshot(catalog, 'A1B2')).id).toBe(IDS[2][0]);
  });

  it('by "latest" of a source', async () => {
    expect((await findSnapshot(catalog, 'latest', 'app')).id).toBe(IDS[1][0]);
    expect((await findSnapshot(catalogOf(IDS.slice(0, 2)), 'latest')).id).toBe(IDS[1][0]);
  });

  it.each([
    ['3f9c', undefined, 'USAGE', 'begin with'],
    ['3f9', undefined, 'USAGE', 'too short'],
    ['----', undefined, 'USAGE', 'too short'],
    ['latest', undefined, 'USAGE', 'which source'],
    ['latest', 'nothing', 'NOT_FOUND', 'no snapshot of "nothing"'],
    ['ffff0000', undefined, 'NOT_FOUND', 'no snapshot "ffff0000"'],
    ['a1b2c3d4', 'app', 'NOT_FOUND', 'of "app"'],
  ])('not by %j of %j', async (wanted, source, code, message) => {
    await expect(findSnapshot(catalog, wanted, source)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });
});
