import {
  type ErrorCode,
  KiB,
  MiB,
  type PeerId,
  type ShardId,
  type ShardTransport,
  scatterParts,
} from '@holdfast/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import type { MemoryShardStoreOptions } from './memory-shard-store.ts';
import { sampleBytes, samplePeerId, sampleShard, sampleShardId } from './sample-shards.ts';

export interface ShardTransportSubject {
  readonly transport: ShardTransport;
  /** Two peers that are up, with empty stores. */
  readonly peers: readonly [PeerId, PeerId];
  readonly stop: (peer: PeerId) => Promise<void>;
  /** The same peer with what it had, where it was. */
  readonly start: (peer: PeerId) => Promise<void>;
  /** From now on the peer takes requests and does not answer. */
  readonly hang: (peer: PeerId) => Promise<void>;
  readonly damage: (peer: PeerId, id: ShardId) => Promise<void>;
  /** The suite has closed the transport before. */
  readonly dispose: () => Promise<void>;
}

const SMALL = 64 * KiB;

const refuses = (promise: Promise<unknown>, code: ErrorCode): Promise<void> =>
  expect(promise).rejects.toMatchObject({ name: 'HoldfastError', code });

/** What every ShardTransport must do, with any ShardStore behind it. */
export function shardTransportContract(
  name: string,
  open: (options: MemoryShardStoreOptions) => Promise<ShardTransportSubject>,
): void {
  const subjects: ShardTransportSubject[] = [];
  const begin = async (options: MemoryShardStoreOptions = {}): Promise<ShardTransportSubject> => {
    const subject = await open(options);
    subjects.push(subject);
    return subject;
  };

  describe(`ShardTransport: ${name}`, () => {
    afterEach(async () => {
      for (const subject of subjects.splice(0)) {
        await subject.transport.close();
        await subject.dispose();
      }
    });

    it('puts and gets, each shard at its own peer', async () => {
      const { transport, peers } = await begin();
      const shard = sampleShard(1, MiB, 123);
      expect(await transport.put(peers[0], shard)).toBe('stored');
      expect(await transport.put(peers[0], shard)).toBe('present');
      const into = new Uint8Array(MiB + 10).fill(7);
      expect(await transport.get(peers[0], shard.id, into)).toBe(MiB);
      expect(Buffer.compare(into.subarray(0, MiB), shard.bytes)).toBe(0);
      expect(into.subarray(MiB).every((byte) => byte === 7)).toBe(true);
      await refuses(transport.get(peers[1], shard.id, into), 'PEER_NO_SHARD');
    });

    it('works in shared memory', async () => {
      const { transport, peers } = await begin();
      const shard = sampleShard(1, MiB);
      const bytes = new Uint8Array(new SharedArrayBuffer(2 * MiB), MiB);
      bytes.set(shard.bytes);
      await transport.put(peers[0], { ...shard, bytes });
      bytes.fill(0);
      expect(await transport.get(peers[0], shard.id, bytes)).toBe(MiB);
      expect(Buffer.compare(bytes, shard.bytes)).toBe(0);
    });

    it('gets ranges, and refuses more than fits', async () => {
      const { transport, peers } = await begin();
      const shard = sampleShard(1);
      await transport.put(peers[0], shard);
      const into = new Uint8Array(100);
      expect(await transport.get(peers[0], shard.id, into, { offset: 500, length: 100 })).toBe(100);
      expect(Buffer.compare(into, shard.bytes.subarray(500, 600))).toBe(0);
      expect(await transport.get(peers[0], shard.id, into, { offset: SMALL - 3 })).toBe(3);
      expect(await transport.get(peers[0], shard.id, into, { offset: SMALL })).toBe(0);
      await refuses(transport.get(peers[0], shard.id, into), 'PEER_PROTOCOL');
      await refuses(transport.get(peers[0], shard.id, into, { offset: SMALL + 1 }), 'FORMAT_INVALID');
      expect(await transport.get(peers[0], shard.id, into, { length: 9 })).toBe(9);
    });

    it('gets parts, checked against the whole shard by the peer', async () => {
      const { transport, peers, damage } = await begin();
      const [peer] = peers;
      const shard = sampleShard(1);
      await transport.put(peer, shard);
      const into = new Uint8Array(SMALL / 4 + 7).fill(9);
      const range = { offset: 2_048, length: 1_024, period: 4_096 };
      expect(await transport.getParts(peer, shard.id, range, into)).toBe(SMALL / 4);
      expect(into.subarray(SMALL / 4).every((byte) => byte === 9)).toBe(true);
      const scattered = new Uint8Array(SMALL);
      scatterParts(into.subarray(0, SMALL / 4), range, scattered);
      shard.bytes.forEach((byte, at) => {
        const inPart = at % 4_096 >= 2_048 && at % 4_096 < 3_072;
        if (scattered[at] !== (inPart ? byte : 0)) throw new Error(`wrong byte at ${at}`);
      });
      // What does not lie within the shard to its end is left out.
      expect(await transport.getParts(peer, shard.id, { offset: 5, length: 64, period: 40_000 }, into)).toBe(
        128,
      );
      expect(await transport.getParts(peer, shard.id, { offset: 5, length: 64, period: SMALL }, into)).toBe(
        64,
      );
      await refuses(
        transport.getParts(peer, shard.id, { offset: 0, length: 64, period: 65 }, into),
        'PEER_PROTOCOL',
      );
      for (const wrong of [
        { offset: SMALL - 63, length: 64, period: 64 },
        { offset: 0, length: 63, period: 64 },
        { offset: 0, length: 65, period: 64 },
        { offset: 0, length: SMALL + 1, period: 2 * SMALL },
      ]) {
        await refuses(transport.getParts(peer, shard.id, wrong, into), 'FORMAT_INVALID');
      }
      await refuses(transport.getParts(peers[1], shard.id, range, into), 'PEER_NO_SHARD');
      await damage(peer, shard.id);
      await refuses(transport.getParts(peer, shard.id, range, into), 'PEER_SHARD_CORRUPT');
    });

    it('carries refusals with their codes and goes on working', async () => {
      const { transport, peers, damage } = await begin({
        capacityBytes: 3 * SMALL,
        ownerQuotaBytes: 2 * SMALL,
      });
      const [peer] = peers;
      await transport.put(peer, sampleShard(1));
      await refuses(transport.put(peer, { ...sampleShard(2), id: sampleShardId(1) }), 'PEER_SHARD_CONFLICT');
      await refuses(transport.put(peer, { ...sampleShard(2), hash: sampleShard(3).hash }), 'HASH_MISMATCH');
      await refuses(transport.put(peer, { ...sampleShard(2), bytes: new Uint8Array(99) }), 'FORMAT_INVALID');
      await transport.put(peer, sampleShard(2));
      await refuses(transport.put(peer, sampleShard(3)), 'PEER_QUOTA');
      await damage(peer, sampleShardId(1));
      await refuses(transport.get(peer, sampleShardId(1), new Uint8Array(SMALL)), 'PEER_SHARD_CORRUPT');
      expect(await transport.get(peer, sampleShardId(2), new Uint8Array(SMALL))).toBe(SMALL);
    });

    it('has, lists, leases and deletes', async () => {
      const { transport, peers } = await begin();
      const [peer] = peers;
      for (const i of [1, 2, 3]) await transport.put(peer, sampleShard(i, SMALL, i));
      const held = (i: number, leaseUntil = i) => ({ hash: sampleShard(i).hash, bytes: SMALL, leaseUntil });
      const ids = [3, 8, 1].map(sampleShardId);
      expect(await transport.have(peer, ids)).toEqual([held(3), null, held(1)]);
      expect(await transport.have(peer, [])).toEqual([]);
      expect(await transport.lease(peer, ids, 50)).toEqual([true, false, true]);
      expect(await transport.have(peer, ids)).toEqual([held(3, 50), null, held(1, 50)]);
      const sorted = [1, 2, 3].sort((a, b) => (sampleShardId(a) < sampleShardId(b) ? -1 : 1));
      const listed = await transport.list(peer, { limit: 10 });
      expect(listed).toEqual(sorted.map((i) => ({ id: sampleShardId(i), ...held(i, i === 2 ? 2 : 50) })));
      expect(await transport.list(peer, { after: listed[0]!.id, limit: 1 })).toEqual([listed[1]]);
      expect(await transport.delete(peer, ids[0]!)).toBe(true);
      expect(await transport.delete(peer, ids[0]!)).toBe(false);
      expect(await transport.list(peer, { limit: 10 })).toHaveLength(2);
    });

    it('tells the peer’s status', async () => {
      const { transport, peers } = await begin({ capacityBytes: 9 * SMALL, ownerQuotaBytes: 4 * SMALL });
      await transport.put(peers[1], sampleShard(1));
      expect(await transport.status(peers[1])).toMatchObject({
        id: peers[1],
        capacityBytes: 9 * SMALL,
        usedBytes: SMALL,
        ownerQuotaBytes: 4 * SMALL,
        ownerUsedBytes: SMALL,
        ownerShards: 1,
        version: expect.any(String),
        startedAt: expect.any(Number),
      });
    });

    it('keeps heads', async () => {
      const { transport, peers } = await begin();
      expect(await transport.getHead(peers[0])).toBe(null);
      const head = { sequence: 3, bytes: sampleBytes('head', 200 * KiB) };
      await transport.putHead(peers[0], head);
      const kept = await transport.getHead(peers[0]);
      expect(kept?.sequence).toBe(3);
      expect(Buffer.compare(kept!.bytes, head.bytes)).toBe(0);
      await refuses(transport.putHead(peers[0], { sequence: 2, bytes: head.bytes }), 'PEER_HEAD_STALE');
      const large = { sequence: 4, bytes: new Uint8Array(256 * KiB + 1) };
      await refuses(transport.putHead(peers[0], large), 'FORMAT_INVALID');
    });

    it('answers many requests at once, each with its own answer', async () => {
      const { transport, peers } = await begin();
      const shards = Array.from({ length: 40 }, (_, i) => sampleShard(i));
      const puts = shards.map((shard, i) => transport.put(peers[i % 2]!, shard));
      expect(await Promise.all(puts)).toEqual(shards.map(() => 'stored'));
      await Promise.all(
        shards.map(async (shard, i) => {
          const into = new Uint8Array(SMALL);
          const [length, [found]] = await Promise.all([
            transport.get(peers[i % 2]!, shard.id, into),
            transport.have(peers[i % 2]!, [shard.id]),
          ]);
          expect(length).toBe(SMALL);
          expect(found?.hash).toBe(shard.hash);
          expect(Buffer.compare(into, shard.bytes)).toBe(0);
        }),
      );
    });

    it('reports a peer that is down, and reaches it again when it is back', async () => {
      const { transport, peers, stop, start } = await begin();
      await transport.put(peers[0], sampleShard(1));
      await stop(peers[0]);
      await refuses(transport.get(peers[0], sampleShardId(1), new Uint8Array(SMALL)), 'PEER_UNREACHABLE');
      await refuses(transport.status(peers[0]), 'PEER_UNREACHABLE');
      expect(await transport.put(peers[1], sampleShard(1))).toBe('stored');
      await start(peers[0]);
      await expect
        .poll(() => transport.get(peers[0], sampleShardId(1), new Uint8Array(SMALL)).catch(() => 0), {
          timeout: 5_000,
        })
        .toBe(SMALL);
    });

    it('does not know peers that nobody told it of', async () => {
      const { transport } = await begin();
      await refuses(transport.status(samplePeerId('nobody')), 'PEER_UNREACHABLE');
    });

    it('gives up on a peer that does not answer, and keeps its hands off the buffer from then on', async () => {
      const { transport, peers, hang } = await begin();
      await transport.put(peers[0], sampleShard(1));
      await hang(peers[0]);
      const into = new Uint8Array(SMALL);
      await refuses(transport.get(peers[0], sampleShardId(1), into, { timeout: 150 }), 'PEER_TIMEOUT');
      await refuses(transport.put(peers[0], sampleShard(2), { timeout: 150 }), 'PEER_TIMEOUT');
      await refuses(transport.status(peers[0], { timeout: 150 }), 'PEER_TIMEOUT');
      expect(into.every((byte) => byte === 0)).toBe(true);
    });

    it('stops at once when the caller says so', async () => {
      const { transport, peers, hang } = await begin();
      await transport.put(peers[0], sampleShard(1));
      await refuses(transport.status(peers[0], { signal: AbortSignal.abort() }), 'CANCELLED');
      await hang(peers[0]);
      const stopping = new AbortController();
      const options = { signal: stopping.signal };
      const calls = [
        transport.get(peers[0], sampleShardId(1), new Uint8Array(SMALL), options),
        transport.put(peers[0], sampleShard(2, MiB), options),
        transport.status(peers[0], options),
      ];
      setTimeout(() => stopping.abort(), 50);
      await Promise.all(calls.map((call) => refuses(call, 'CANCELLED')));
    });

    it('ends what is under way when it is closed, and takes nothing more', async () => {
      const { transport, peers, hang } = await begin();
      await transport.status(peers[0]);
      await hang(peers[0]);
      const under = [transport.status(peers[0]), transport.put(peers[0], sampleShard(2))];
      const ends = Promise.all(under.map((call) => refuses(call, 'CANCELLED')));
      await transport.close();
      await ends;
      await refuses(transport.status(peers[1]), 'CANCELLED');
      await transport.close();
    });
  });
}
