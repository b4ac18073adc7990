import { type Catalog, type ErrorCode, HoldfastError } from '@holdfast/contracts';
import { describe, expect, test } from 'vitest';
import { samplePeer, samplePeerId, sampleSnapshot, sampleSnapshotId } from './catalog-samples.ts';

/** The part of the catalog's contract that is about snapshots, heads and peers. @param catalog the test's own, empty */
export function describeRecords(catalog: () => Catalog): void {
  describe('snapshots', () => {
    test('come back as they were, ascending', async () => {
      const all = [sampleSnapshot(1), sampleSnapshot(2, { source: 'files', tags: [] }), sampleSnapshot(3)];
      for (const snapshot of all) await catalog().commitSnapshot(snapshot);
      expect(await catalog().snapshots()).toEqual(all);
      expect(await catalog().snapshots({ source: 'mail' })).toEqual([all[0], all[2]]);
      expect(await catalog().snapshots({ source: 'nothing' })).toEqual([]);
      expect(await catalog().snapshot(sampleSnapshotId(2))).toEqual(all[1]);
      expect(await catalog().snapshot(sampleSnapshotId(4))).toBeNull();
      expect((await catalog().totals()).snapshots).toBe(3);
    });

    test('follow each other without gap or repetition', async () => {
      await catalog().commitSnapshot(sampleSnapshot(5));
      await catalog().commitSnapshot(sampleSnapshot(5));
      await refused('ALREADY_EXISTS', catalog().commitSnapshot(sampleSnapshot(6, { sequence: 5 })));
      await refused('ALREADY_EXISTS', catalog().commitSnapshot(sampleSnapshot(4)));
      await refused('USAGE', catalog().commitSnapshot(sampleSnapshot(7)));
      await catalog().commitSnapshot(sampleSnapshot(6));
      expect((await catalog().snapshots()).map((snapshot) => snapshot.sequence)).toEqual([5, 6]);
    });

    test('the head never goes back', async () => {
      expect(await catalog().head()).toBeNull();
      await catalog().recordHead(3, Uint8Array.of(3));
      await catalog().recordHead(2, Uint8Array.of(2));
      expect(await catalog().head()).toEqual({ sequence: 3, bytes: Uint8Array.of(3) });
      await catalog().recordHead(4, Uint8Array.of(4, 4));
      expect(await catalog().head()).toEqual({ sequence: 4, bytes: Uint8Array.of(4, 4) });
    });
  });

  describe('peers', () => {
    test('are put, replaced and listed by id', async () => {
      expect(await catalog().peers()).toEqual([]);
      const peers = [3, 1, 2].map((n) => samplePeer(n));
      for (const peer of peers) await catalog().putPeer(peer);
      await catalog().putPeer(samplePeer(2, { state: 'left', port: 9 }));
      const byId = [samplePeer(1), samplePeer(2, { state: 'left', port: 9 }), samplePeer(3)];
      expect(await catalog().peers()).toEqual(byId.sort((a, b) => (a.id < b.id ? -1 : 1)));
    });

    test('have their moments counted, known or not', async () => {
      expect((await catalog().peerEvents()).size).toBe(0);
      await catalog().putPeer(samplePeer(1));
      await catalog().countPeerEvent(samplePeerId(1), 'stored');
      await catalog().countPeerEvent(samplePeerId(1), 'stored', 4);
      await catalog().countPeerEvent(samplePeerId(1), 'wrong-bytes');
      await catalog().countPeerEvent(samplePeerId(2), 'slow', 2);
      const events = await catalog().peerEvents();
      expect(events.get(samplePeerId(1))).toEqual({ stored: 5, 'wrong-bytes': 1 });
      expect(events.get(samplePeerId(2))).toEqual({ slow: 2 });
      expect(events.size).toBe(2);
      expect((await catalog().peers()).length).toBe(1);
    });
  });
}

export async function refused(code: ErrorCode, promise: Promise<unknown>): Promise<void> {
  const outcome = await promise.then(
    () => 'no error',
    (error: unknown) => (HoldfastError.is(error) ? error.code : error),
  );
  expect(outcome).toBe(code);
}
