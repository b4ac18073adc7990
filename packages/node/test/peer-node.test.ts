import { mkdtemp, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerId } from '@holdfast/contracts';
import {
  createAuthority,
  generateIdentity,
  issueCertificate,
  issueGrant,
  tlsTransport,
} from '@holdfast/network';
import { sampleShard } from '@holdfast/testing/sample-shards';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acceptGrant, initPeer, joinRequest, peerFiles, peerLogger, startPeer } from '../src/index.ts';

let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'holdfast-peer-'));
});
afterEach(() => rm(base, { recursive: true }));

const DAY = 86_400_000;
const logger = peerLogger('silent');
const facts = { name: 'attic', operator: 'anna', region: 'eu/de', host: '127.0.0.1', port: 4400 };
const serving = { host: '127.0.0.1', port: 0, capacityBytes: 10 * 2 ** 20, logger };

async function admitted(directory: string) {
  const authority = await createAuthority({ name: 'swarm', now: Date.now() - 30 * DAY });
  const { id, request } = await initPeer({ directory, ...facts });
  await acceptGrant(directory, (await issueGrant(authority, request)).token);
  return { authority, id };
}

describe('a peer', () => {
  it('is made, admitted, started, used and started again with what it had', async () => {
    const directory = join(base, 'peer');
    const { authority, id } = await admitted(directory);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await stat(peerFiles(directory).identity)).mode & 0o777).toBe(0o600);
    const identity = generateIdentity();
    const certificate = await issueCertificate(authority, identity.publicKey, { ...facts, role: 'owner' });
    let peer = await startPeer({ directory, ...serving });
    const credentials = { identity, certificate, authority: authority.certificate };
    const transport = tlsTransport({
      credentials,
      peers: (asked: PeerId) => (asked === id ? peer : undefined),
    });
    const shard = sampleShard(1);
    expect(await transport.put(id, shard)).toBe('stored');
    expect(await transport.status(id)).toMatchObject({
      id,
      version: 'holdfast 0.1.0',
      capacityBytes: 10 * 2 ** 20,
    });
    await peer.close();
    await peer.close();
    peer = await startPeer({ directory, ...serving });
    expect(await transport.get(id, shard.id, new Uint8Array(shard.bytes.length))).toBe(shard.bytes.length);
    await transport.close();
    await peer.close();
  });

  it('is not made twice, nor started before it was admitted', async () => {
    const directory = join(base, 'peer');
    await expect(joinRequest(directory)).rejects.toMatchObject({ code: 'CONFIG_MISSING' });
    await expect(startPeer({ directory, ...serving })).rejects.toMatchObject({ code: 'CONFIG_MISSING' });
    await expect(initPeer({ directory, ...facts, region: 'Not A Region' })).rejects.toMatchObject({
      code: 'USAGE',
    });
    await initPeer({ directory, ...facts });
    await expect(initPeer({ directory, ...facts })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await expect(startPeer({ directory, ...serving })).rejects.toMatchObject({ code: 'CONFIG_MISSING' });
    await writeFile(peerFiles(directory).profile, '{}');
    await expect(joinRequest(directory)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('takes only a grant of its own', async () => {
    const authority = await createAuthority({ name: 'swarm' });
    const mine = join(base, 'mine');
    await initPeer({ directory: mine, ...facts });
    const { request } = await initPeer({ directory: join(base, 'other'), ...facts });
    const { token } = await issueGrant(authority, request);
    await expect(acceptGrant(mine, token)).rejects.toMatchObject({ code: 'PEER_UNTRUSTED' });
    await expect(acceptGrant(mine, 'hf-grant:xx')).rejects.toMatchObject({ code: 'FORMAT_INVALID' });
  });

  it('does not start with an expired membership, nor beside itself, nor without its key', async () => {
    const directory = join(base, 'peer');
    const { authority } = await admitted(directory);
    const peer = await startPeer({ directory, ...serving });
    await expect(startPeer({ directory, ...serving })).rejects.toMatchObject({ code: 'BUSY' });
    const elsewhere = { ...serving, port: peer.port };
    await peer.close();
    const other = join(base, 'other');
    await admitted(other);
    const occupant = await startPeer({ directory: other, ...elsewhere });
    await expect(startPeer({ directory, ...elsewhere })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await occupant.close();
    const now = Date.now() - 10 * DAY;
    const expired = await issueGrant(authority, await joinRequest(directory), { validDays: 1, now });
    await writeFile(peerFiles(directory).certificate, expired.grant.certificate);
    await expect(startPeer({ directory, ...serving })).rejects.toMatchObject({ code: 'PEER_UNTRUSTED' });
    await unlink(peerFiles(directory).identity);
    await expect(startPeer({ directory, ...serving })).rejects.toMatchObject({ code: 'KEY_MISSING' });
  });
});
