import type { HoldfastError, PeerId } from '@holdfast/contracts';
import { MemoryShardStore } from '@holdfast/testing/memory-shard-store';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Authority,
  type Credentials,
  type ServerEvent,
  type ShardServer,
  tlsTransport,
} from '../src/index.ts';
import { newAuthority, newMember, serveTest } from './swarm.ts';

const DAY = 86_400_000;
let ours: Authority;
let theirs: Authority;
let peer: Credentials;
let owner: Credentials;
const closing: { close: () => Promise<void> }[] = [];

beforeAll(async () => {
  ours = await newAuthority();
  theirs = await newAuthority();
  peer = await newMember(ours);
  owner = await newMember(ours, { role: 'owner' });
});
afterEach(async () => {
  for (const each of closing.splice(0)) await each.close();
});

async function serve(credentials: Credentials, events: ServerEvent[] = []): Promise<ShardServer> {
  const server = await serveTest(new MemoryShardStore(), credentials, {
    onEvent: (event) => events.push(event),
  });
  closing.push(server);
  return server;
}

async function ask(
  server: ShardServer,
  credentials: Credentials,
  id: PeerId = peer.identity.id,
): Promise<string> {
  const transport = tlsTransport({ credentials, peers: () => server });
  closing.push(transport);
  return transport.status(id).then(
    () => 'ok',
    (error: HoldfastError) => error.code,
  );
}

describe('trust', () => {
  it('is there between members of one swarm in their roles', async () => {
    const events: ServerEvent[] = [];
    expect(await ask(await serve(peer, events), owner)).toBe('ok');
    expect(events.map((event) => event.type)).toEqual(['connected', 'served']);
    expect(events[0]).toMatchObject({ peer: owner.identity.id });
  });

  it('is refused by the client to a peer other than the one asked for', async () => {
    const other = await newMember(ours);
    expect(await ask(await serve(other), owner)).toBe('PEER_UNTRUSTED');
  });

  it('is refused by the client to a peer of another swarm, and to an owner posing as a peer', async () => {
    const foreign = { ...(await newMember(theirs)), authority: ours.certificate };
    expect(await ask(await serve(foreign), owner, foreign.identity.id)).toBe('PEER_UNTRUSTED');
    expect(await ask(await serve(owner), owner, owner.identity.id)).toBe('PEER_UNTRUSTED');
  });

  it('is refused by the server to members of other swarms and to peers posing as owners', async () => {
    const events: ServerEvent[] = [];
    const server = await serve(peer, events);
    const foreign = { ...(await newMember(theirs, { role: 'owner' })), authority: ours.certificate };
    expect(await ask(server, foreign)).toBe('PEER_UNTRUSTED');
    expect(await ask(server, await newMember(ours))).toBe('PEER_UNTRUSTED');
    expect(events.map((event) => event.type)).toEqual(['rejected', 'rejected']);
  });

  it('ends with the certificate, on either side', async () => {
    const past = { now: Date.now() - 3 * DAY, validDays: 1 };
    const server = await serve(peer);
    expect(await ask(server, await newMember(ours, { role: 'owner', ...past }))).toBe('PEER_UNTRUSTED');
    const expired = await newMember(ours, past);
    expect(await ask(await serve(expired), owner, expired.identity.id)).toBe('PEER_UNTRUSTED');
  });

  it('is not given to a certificate whose key the other side does not hold', async () => {
    const server = await serve(peer);
    const thief = { ...(await newMember(ours, { role: 'owner' })), certificate: owner.certificate };
    expect(() => tlsTransport({ credentials: thief, peers: () => server })).toThrow(
      expect.objectContaining({ code: 'KEY_WRONG' }),
    );
  });
});
