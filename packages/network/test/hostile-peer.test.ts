import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { HoldfastError, KiB, MiB, type ShardTransport } from '@holdfast/contracts';
import type { CborValue } from '@holdfast/formats';
import {
  decodeRequest,
  encodeError,
  encodeFrameHead,
  encodeHello,
  encodeOk,
  FrameReader,
  type NumberedRequest,
} from '@holdfast/formats/wire';
import { sampleShard, sampleShardId } from '@holdfast/testing/sample-shards';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, type ClientLimits, type Credentials, tlsTransport } from '../src/index.ts';
import { ALPN, contextOptions } from '../src/tls/credentials.ts';
import { newAuthority, newMember } from './swarm.ts';

let authority: Authority;
let peer: Credentials;
let owner: Credentials;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  authority = await newAuthority();
  peer = await newMember(authority);
  owner = await newMember(authority, { role: 'owner' });
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Reply = (socket: TLSSocket, numbered: NumberedRequest) => void;

const frame = (socket: TLSSocket, header: CborValue, body: Uint8Array = new Uint8Array(0)): void => {
  socket.write(encodeFrameHead(header, body.length));
  if (body.length > 0) socket.write(body);
};

/** A transport to a certified peer that answers however it likes. */
async function facing(
  reply: Reply,
  limits: Partial<ClientLimits> = {},
  greeting = true,
): Promise<ShardTransport> {
  const options = { ...contextOptions(peer), ALPNProtocols: ALPN, requestCert: true };
  const server = createServer(options, (socket) => {
    let greeted = false;
    let last: NumberedRequest | null = null;
    const reader = new FrameReader({
      header(header, bodyLength) {
        last = greeted ? decodeRequest(header, bodyLength) : null;
        return 'discard';
      },
      frame() {
        greeted = true;
        if (last !== null) reply(socket, last);
      },
    });
    socket.on('error', () => {});
    socket.on('data', (piece: Buffer) => reader.push(piece));
    closing.push(() => socket.destroy());
    if (greeting) frame(socket, encodeHello({ program: 'hostile', maxInFlight: 8 }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const transport = tlsTransport({ credentials: owner, peers: () => ({ host: '127.0.0.1', port }), limits });
  closing.push(() => server.close());
  closing.push(() => transport.close());
  return transport;
}

const id = sampleShardId(1);
const get = (transport: ShardTransport, into = new Uint8Array(MiB), options = {}): Promise<number> =>
  transport.get(peer.identity.id, id, into, options);
const refuses = (promise: Promise<unknown>, code: string): Promise<void> =>
  expect(promise).rejects.toMatchObject({ name: 'HoldfastError', code });

describe('an owner, to a peer that breaks the protocol', () => {
  const answers: Record<string, Reply> = {
    'bytes that are no frame': (socket) => socket.write(Buffer.alloc(64, 0xee)),
    'an answer to nothing': (socket) => frame(socket, encodeOk(999, null)),
    'an error with a body': (socket, { requestId }) =>
      frame(socket, encodeError(requestId, new HoldfastError('PEER_BUSY', 'x')), new Uint8Array(9)),
    'more bytes than asked for': (socket, { requestId }) =>
      frame(socket, encodeOk(requestId, null), new Uint8Array(MiB)),
    'a code that no peer may use': (socket, { requestId }) =>
      frame(socket, [129, requestId, 'KEY_WRONG', 'haha']),
    'a request instead of an answer': (socket) => frame(socket, [7, 1]),
  };
  for (const [what, reply] of Object.entries(answers)) {
    it(`says PEER_PROTOCOL: ${what}`, async () => {
      const into = new Uint8Array(64 * KiB);
      await refuses(get(await facing(reply), into), 'PEER_PROTOCOL');
      expect(into.every((byte) => byte === 0)).toBe(true);
    });
  }

  it('says PEER_PROTOCOL to nonsense of every kind of request', async () => {
    const nonsense: CborValue[] = [null, 7, 'x', [], [1, 2], [[null]], { a: 1 }, [true, false, true]];
    let choice = 0;
    const transport = await facing((socket, { requestId }) =>
      frame(socket, encodeOk(requestId, nonsense[choice]!)),
    );
    const to = peer.identity.id;
    for (choice = 0; choice < nonsense.length; choice++) {
      await refuses(transport.have(to, [id, id]), 'PEER_PROTOCOL');
      await refuses(transport.lease(to, [id, id], 1), 'PEER_PROTOCOL');
      await refuses(transport.status(to), 'PEER_PROTOCOL');
      await refuses(transport.delete(to, id), 'PEER_PROTOCOL');
      await refuses(transport.put(to, sampleShard(1)), 'PEER_PROTOCOL');
    }
  });

  it('is not kept paging by a list that goes in circles', async () => {
    const entry: CborValue = [new Uint8Array(32).fill(5), new Uint8Array(32), 1, 1];
    const page = Array.from({ length: 500 }, () => entry);
    const transport = await facing((socket, { requestId }) => frame(socket, encodeOk(requestId, page)));
    await refuses(transport.list(peer.identity.id, { limit: 2_000 }), 'PEER_PROTOCOL');
  });

  it('waits for HELLO no longer than it takes to connect', async () => {
    const transport = await facing(() => {}, { connectTimeout: 300 }, false);
    await refuses(transport.status(peer.identity.id), 'PEER_TIMEOUT');
  });
});

describe('an owner, to a slow peer', () => {
  it('leaves the buffer alone after it gave up half-way through the answer', async () => {
    let answering: TLSSocket | undefined;
    const transport = await facing((socket, { requestId, request }) => {
      if (request.type !== 'get') return;
      if (answering !== undefined) {
        frame(socket, encodeOk(requestId, null), new Uint8Array(5).fill(4));
        return;
      }
      answering = socket;
      socket.write(encodeFrameHead(encodeOk(requestId, null), 1_000));
      socket.write(new Uint8Array(400).fill(3));
    });
    const into = new Uint8Array(1_000);
    const stopping = new AbortController();
    const call = get(transport, into, { signal: stopping.signal });
    await expect.poll(() => into[399]).toBe(3);
    stopping.abort();
    await refuses(call, 'CANCELLED');
    into.fill(0);
    answering!.write(new Uint8Array(600).fill(3));
    // The connection goes on: the rest of that answer is dropped, and the next one is read.
    expect(await get(transport, new Uint8Array(10))).toBe(5);
    expect(into.every((byte) => byte === 0)).toBe(true);
  });

  it('waits as long as something moves, however slowly, and no longer', async () => {
    const transport = await facing((socket, { requestId }) => {
      socket.write(encodeFrameHead(encodeOk(requestId, null), 8));
      let sent = 0;
      const timer = setInterval(() => {
        if (sent++ < 7) socket.write(Uint8Array.of(sent));
        else clearInterval(timer);
      }, 100);
    });
    const into = new Uint8Array(8);
    const started = performance.now();
    await refuses(get(transport, into, { timeout: 300 }), 'PEER_TIMEOUT');
    expect(performance.now() - started).toBeGreaterThan(700);
    expect([...into]).toEqual([1, 2, 3, 4, 5, 6, 7, 0]);
  });

  it('gives up a connection on which nothing moves, and makes a new one', async () => {
    let connections = 0;
    const seen = new Set<TLSSocket>();
    const transport = await facing(
      (socket, { requestId }) => {
        if (!seen.has(socket)) {
          seen.add(socket);
          connections += 1;
        }
        if (connections > 1) frame(socket, encodeOk(requestId, null), Uint8Array.of(1));
      },
      { timeout: 200 },
    );
    await refuses(get(transport), 'PEER_TIMEOUT');
    await expect.poll(() => get(transport).catch(() => 0), { timeout: 3_000 }).toBe(1);
    expect(connections).toBe(2);
  });

  it('does not hold back other callers for one who gave up', async () => {
    const parked: (() => void)[] = [];
    const transport = await facing((socket, { requestId }) => {
      const answer = (): void => frame(socket, encodeOk(requestId, null), Uint8Array.of(9));
      if (parked.length < 2) parked.push(answer);
      else answer();
    });
    const stopping = new AbortController();
    const first = get(transport, new Uint8Array(1), { signal: stopping.signal });
    const second = get(transport, new Uint8Array(1));
    await expect.poll(() => parked.length).toBe(2);
    stopping.abort();
    await refuses(first, 'CANCELLED');
    expect(await get(transport)).toBe(1);
    for (const answer of parked) answer();
    expect(await second).toBe(1);
  });
});
