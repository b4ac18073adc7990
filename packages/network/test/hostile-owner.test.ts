import { connect } from 'node:net';
import { MiB, type ShardStore } from '@holdfast/contracts';
import { encodeFrameHead, encodeRequest, type NumberedRequest } from '@holdfast/formats/wire';
import { MemoryShardStore } from '@holdfast/testing/memory-shard-store';
import { sampleShard } from '@holdfast/testing/sample-shards';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Authority,
  type Credentials,
  type ServerEvent,
  type ServerLimits,
  type ShardServer,
  tlsTransport,
} from '../src/index.ts';
import { RawClient } from './raw-client.ts';
import { newAuthority, newMember, serveTest } from './swarm.ts';

let authority: Authority;
let peer: Credentials;
let owner: Credentials;
let events: ServerEvent[] = [];
const closing: { close: () => Promise<void> }[] = [];

beforeAll(async () => {
  authority = await newAuthority();
  peer = await newMember(authority);
  owner = await newMember(authority, { role: 'owner' });
});
afterEach(async () => {
  for (const each of closing.splice(0)) await each.close();
  events = [];
});

async function serve(
  limits: Partial<ServerLimits> = {},
  store: ShardStore = new MemoryShardStore(),
): Promise<ShardServer> {
  const onEvent = (event: ServerEvent): void => void events.push(event);
  const server = await serveTest(store, peer, { onEvent, limits: { drainTimeout: 100, ...limits } });
  closing.push(server);
  return server;
}

/** A well-behaved owner still gets what it asks for. */
async function expectServing(server: ShardServer): Promise<void> {
  const transport = tlsTransport({ credentials: owner, peers: () => server });
  expect(await transport.status(peer.identity.id)).toMatchObject({ id: peer.identity.id });
  await transport.close();
}

const refusal = (client: RawClient, code: string): Promise<void> =>
  expect
    .poll(() => client.responses.at(-1), { timeout: 5_000 })
    .toMatchObject({ requestId: 0, ok: false, code });
const closed = (client: RawClient): Promise<void> =>
  expect.poll(() => client.closed, { timeout: 5_000 }).toBe(true);

const request = (requestId: number, rest: NumberedRequest['request'] = { type: 'status' }) =>
  encodeRequest({ requestId, request: rest });

function put(requestId: number, label: number) {
  const shard = sampleShard(label, MiB);
  return {
    header: request(requestId, { type: 'put', id: shard.id, hash: shard.hash, leaseUntil: 1 }),
    bytes: shard.bytes,
  };
}

/** A store whose puts wait until they are let go. */
function gatedStore(): { store: ShardStore; waiting: () => number; open: () => void } {
  const memory = new MemoryShardStore();
  const gates: (() => void)[] = [];
  let opened = false;
  const store: ShardStore = Object.assign(Object.create(memory) as MemoryShardStore, {
    put: async (...args: Parameters<ShardStore['put']>) => {
      if (!opened) await new Promise<void>((resolve) => gates.push(resolve));
      return memory.put(...args);
    },
    has: (...args: Parameters<ShardStore['has']>) => memory.has(...args),
    usage: (...args: Parameters<ShardStore['usage']>) => memory.usage(...args),
  });
  const open = (): void => {
    opened = true;
    for (const gate of gates.splice(0)) gate();
  };
  return { store, waiting: () => gates.length, open };
}

describe('a server, to an owner that breaks the protocol', () => {
  const broken: Record<string, (client: RawClient) => void> = {
    'bytes that are no frame': (client) => client.socket.write(Buffer.alloc(64, 0xff)),
    'a header over the limit': (client) => client.socket.write(Buffer.from('0001000100000000', 'hex')),
    'a body over the limit': (client) => client.socket.write(Buffer.from('0000000100100001', 'hex')),
    'a header that is not canonical CBOR': (client) =>
      client.socket.write(Buffer.from('00000003000000009f07ff', 'hex')),
    'a second HELLO': (client) => client.send([0, 1, 'again', 8]),
    'an unknown request': (client) => client.send([99, 1]),
    'a request with the id 0': (client) => client.send(request(0)),
    'a body where none belongs': (client) => client.send(request(1), new Uint8Array(10)),
    'too many ids': (client) => client.send([3, 1, new Uint8Array(32 * 1_001)]),
  };
  for (const [what, misbehave] of Object.entries(broken)) {
    it(`says PEER_PROTOCOL and hangs up: ${what}`, async () => {
      const server = await serve();
      const client = await RawClient.connect(server, owner);
      misbehave(client);
      await refusal(client, 'PEER_PROTOCOL');
      await closed(client);
      expect(events).toContainEqual(expect.objectContaining({ type: 'rejected', code: 'PEER_PROTOCOL' }));
      await expectServing(server);
    });
  }

  it('wants HELLO first, of a version that it knows', async () => {
    const server = await serve();
    const rude = await RawClient.connect(server, owner, false);
    rude.send(request(1));
    await refusal(rude, 'PEER_PROTOCOL');
    const future = await RawClient.connect(server, owner, false);
    future.send([0, 2, { anything: true }]);
    await refusal(future, 'FORMAT_VERSION');
    await closed(future);
  });

  it('refuses a request id that is in use', async () => {
    const { store, waiting } = gatedStore();
    const client = await RawClient.connect(await serve({}, store), owner);
    const { header, bytes } = put(5, 1);
    client.send(header, bytes);
    await expect.poll(waiting).toBe(1);
    client.send(request(5));
    await refusal(client, 'PEER_PROTOCOL');
  });

  it('survives any bytes', async () => {
    const server = await serve();
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.boolean(),
        async (bytes, greet) => {
          const client = await RawClient.connect(server, owner, greet);
          client.socket.end(bytes);
          await closed(client);
        },
      ),
      { numRuns: 15 },
    );
    await expectServing(server);
  });
});

describe('a server’s limits', () => {
  it('reads no more requests than it may work on, and loses none of them', async () => {
    const { store, waiting, open } = gatedStore();
    const server = await serve({ maxInFlight: 3 }, store);
    const client = await RawClient.connect(server, owner);
    for (let i = 1; i <= 24; i++) {
      const { header, bytes } = put(i, i % 4);
      client.send(header, bytes);
    }
    await expect.poll(waiting).toBe(3);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(waiting()).toBe(3);
    expect(client.socket.writableLength).toBeGreaterThan(MiB);
    await expectServing(server);
    open();
    await expect.poll(() => client.responses.length, { timeout: 10_000 }).toBe(24);
    expect(client.responses.every((response) => response.ok)).toBe(true);
    client.socket.destroy();
  });

  it('holds no more shard bytes than it may, and gives every connection its turn', async () => {
    const { store, waiting, open } = gatedStore();
    const server = await serve({ maxBufferedBytes: 2 * MiB }, store);
    const clients = await Promise.all([1, 2, 3, 4].map(() => RawClient.connect(server, owner)));
    for (const [i, client] of clients.entries()) {
      for (let n = 1; n <= 3; n++) {
        const { header, bytes } = put(n, i);
        client.send(header, bytes);
      }
    }
    await expect.poll(waiting).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(waiting()).toBe(2);
    open();
    for (const client of clients) {
      await expect.poll(() => client.responses.length, { timeout: 10_000 }).toBe(3);
      client.socket.destroy();
    }
  });

  it('gives back the buffers of connections that died half-way', async () => {
    const server = await serve({ maxBufferedBytes: 2 * MiB });
    for (let i = 0; i < 5; i++) {
      const client = await RawClient.connect(server, owner);
      const { header, bytes } = put(1, 1);
      client.send(header, bytes);
      const half = put(2, 2);
      client.socket.write(encodeFrameHead(half.header, half.bytes.length));
      client.socket.write(half.bytes.subarray(0, 500_000));
      client.socket.destroySoon();
      await closed(client);
      const other = await RawClient.connect(server, owner);
      other.send(half.header, half.bytes);
      await expect.poll(() => other.responses.length).toBe(1);
      other.socket.destroy();
    }
  });

  it('ends connections that are too slow: handshake, HELLO, frame, silence', async () => {
    const server = await serve({
      handshakeTimeout: 300,
      helloTimeout: 300,
      frameTimeout: 300,
      idleTimeout: 1_500,
    });
    const silent = connect(server.port, server.host);
    silent.resume().on('error', () => {});
    const silentClosed = new Promise((resolve) => silent.on('close', resolve));
    const mute = await RawClient.connect(server, owner, false);
    const slow = await RawClient.connect(server, owner);
    slow.socket.write(Buffer.from([0, 0]));
    const idle = await RawClient.connect(server, owner);
    await silentClosed;
    await refusal(mute, 'PEER_PROTOCOL');
    await refusal(slow, 'PEER_PROTOCOL');
    await closed(idle);
    expect(idle.responses).toEqual([]);
  });

  it('ends connections that do not take their answers', async () => {
    const store = new MemoryShardStore();
    const shard = sampleShard(1, MiB);
    await store.put(owner.identity.id, shard);
    const server = await serve({ stallTimeout: 400 }, store);
    const client = await RawClient.connect(server, owner);
    await expect.poll(() => client.greeted).toBe(true);
    client.socket.pause();
    for (let i = 1; i <= 64; i++)
      client.send(request(i, { type: 'get', id: shard.id, offset: 0, length: null }));
    const dropped = expect.objectContaining({ type: 'rejected', code: 'PEER_TIMEOUT' });
    await expect.poll(() => events, { timeout: 5_000 }).toContainEqual(dropped);
    await expectServing(server);
    client.socket.destroy();
  });

  it('bounds the connections of one owner', async () => {
    const server = await serve({ maxConnectionsPerMember: 2 });
    const first = [await RawClient.connect(server, owner), await RawClient.connect(server, owner)];
    await expect.poll(() => first.every((client) => client.greeted)).toBe(true);
    const third = await RawClient.connect(server, owner);
    await refusal(third, 'PEER_BUSY');
    const transport = tlsTransport({ credentials: owner, peers: () => server });
    await expect(transport.status(peer.identity.id)).rejects.toMatchObject({ code: 'PEER_BUSY' });
    await transport.close();
    for (const client of first) client.socket.destroy();
    await expect.poll(() => events.filter((event) => event.type === 'disconnected').length).toBe(2);
    await expectServing(server);
  });

  it('finishes what is under way when it is closed', async () => {
    const { store, waiting, open } = gatedStore();
    const server = await serve({ drainTimeout: 5_000 }, store);
    const transport = tlsTransport({ credentials: owner, peers: () => server });
    closing.push(transport);
    const stored = transport.put(peer.identity.id, sampleShard(1, MiB));
    await expect.poll(waiting).toBe(1);
    const closes = server.close();
    setTimeout(open, 100);
    expect(await stored).toBe('stored');
    await closes;
    await expect(transport.status(peer.identity.id)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
  });
});
