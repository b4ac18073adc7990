import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoldfastError, isPeerId, peerIdToKey } from '@holdfast/contracts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Authority,
  createAuthority,
  createJoinRequest,
  generateIdentity,
  identityFromPem,
  identityToPem,
  issueCertificate,
  issueGrant,
  loadAuthority,
  loadIdentity,
  parseCertificate,
  readGrant,
  readJoinRequest,
  saveAuthorityKey,
  saveIdentity,
  verifyMember,
} from '../src/index.ts';

const DAY = 86_400_000;
let directory: string;
let authority: Authority;
let stranger: Authority;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-keys-'));
  [authority, stranger] = await Promise.all([
    createAuthority({ name: 'ours' }),
    // The same name on purpose: only the key may count.
    createAuthority({ name: 'ours' }),
  ]);
});
afterAll(() => rm(directory, { recursive: true }));

const facts = { role: 'peer', operator: 'Ünïque, O=evil', region: 'eu/de/berlin' } as const;
const verify = (pem: string, by: Authority = authority, now = Date.now()) =>
  verifyMember(parseCertificate(pem), parseCertificate(by.certificate), now);

describe('identity', () => {
  it('is kept in a private file that is never overwritten', async () => {
    const path = join(directory, 'identity.key');
    const identity = generateIdentity();
    expect(isPeerId(identity.id)).toBe(true);
    expect(peerIdToKey(identity.id)).toEqual(identity.publicKey);
    await saveIdentity(path, identity);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await loadIdentity(path)).id).toBe(identity.id);
    await expect(saveIdentity(path, generateIdentity())).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect((await loadIdentity(path)).id).toBe(identity.id);
    expect(identityFromPem(identityToPem(identity)).id).toBe(identity.id);
  });

  it('says what is wrong with a key file', async () => {
    await expect(loadIdentity(join(directory, 'none'))).rejects.toMatchObject({ code: 'KEY_MISSING' });
    await writeFile(join(directory, 'bad'), 'no key');
    await expect(loadIdentity(join(directory, 'bad'))).rejects.toMatchObject({ code: 'KEY_WRONG' });
    expect(() => identityFromPem('no key')).toThrow(expect.objectContaining({ code: 'KEY_WRONG' }));
  });
});

describe('authority', () => {
  it('is loaded with the certificate that is its own', async () => {
    const path = join(directory, 'authority.key');
    await saveAuthorityKey(path, authority);
    expect((await readFile(path, 'utf8')).startsWith('-----BEGIN PRIVATE KEY-----')).toBe(true);
    expect((await loadAuthority(path, authority.certificate)).certificate).toBe(authority.certificate);
    await expect(loadAuthority(path, stranger.certificate)).rejects.toMatchObject({ code: 'KEY_WRONG' });
  });
});

describe('certificates', () => {
  it('carry what was certified, bound to the key', async () => {
    const identity = generateIdentity();
    const now = Date.now();
    const member = verify(
      await issueCertificate(authority, identity.publicKey, { ...facts, validDays: 30, now }),
    );
    expect(member).toMatchObject({ id: identity.id, ...facts });
    expect(Math.abs(member.validUntil - (now + 30 * DAY))).toBeLessThanOrEqual(1_000);
    expect(member.serialNumber).toMatch(/^[0-9a-f]{32}$/);
  });

  it('are refused from another authority, outside of their time, or when they are the authority’s own', async () => {
    const { publicKey } = generateIdentity();
    const now = Date.now();
    const pem = await issueCertificate(authority, publicKey, { ...facts, validDays: 1, now });
    const untrusted = expect.objectContaining({ code: 'PEER_UNTRUSTED' });
    expect(() => verify(pem, stranger)).toThrow(untrusted);
    expect(() => verify(pem, authority, now + 2 * DAY)).toThrow(untrusted);
    expect(() => verify(pem, authority, now - DAY)).toThrow(untrusted);
    expect(() => verify(authority.certificate)).toThrow(untrusted);
    const impostor = { certificate: pem, privateKey: authority.privateKey };
    expect(() => verify(pem, impostor)).toThrow(untrusted);
  });

  it('never outlive the authority', async () => {
    const short = await createAuthority({ name: 'short', validDays: 2 });
    const member = verify(await issueCertificate(short, generateIdentity().publicKey, facts), short);
    expect(member.validUntil).toBeLessThanOrEqual(Date.now() + 2 * DAY);
  });

  it('take only operators and regions that can stand in them', async () => {
    const { publicKey } = generateIdentity();
    for (const wrong of [
      { operator: '' },
      { operator: 'x'.repeat(65) },
      { operator: 'a\nb' },
      { region: 'EU' },
      { region: 'eu//de' },
      { region: '' },
    ]) {
      const issued = issueCertificate(authority, publicKey, { ...facts, ...wrong });
      await expect(issued).rejects.toMatchObject({ code: 'USAGE' });
    }
  });
});

describe('joining', () => {
  const proposal = { name: 'attic', operator: 'anna', region: 'eu/de', host: 'peer.example', port: 4400 };

  it('goes from request to grant', async () => {
    const identity = generateIdentity();
    const token = await createJoinRequest(identity, proposal);
    expect(token).toMatch(/^hf-request:[A-Za-z0-9_-]+$/);
    expect(await readJoinRequest(token)).toMatchObject({ id: identity.id, ...proposal });
    const issued = await issueGrant(authority, `${token.slice(0, 40)}\n  ${token.slice(40)}\n`, {
      operator: 'bob',
      name: 'cellar',
    });
    expect(issued.token).toMatch(/^hf-grant:[A-Za-z0-9_-]+$/);
    const grant = readGrant(issued.token);
    expect(grant).toMatchObject({
      name: 'cellar',
      member: { id: identity.id, operator: 'bob', region: 'eu/de', role: 'peer' },
    });
    expect(verify(grant.certificate)).toEqual(grant.member);
    expect(parseCertificate(grant.authority).fingerprint256).toBe(
      parseCertificate(authority.certificate).fingerprint256,
    );
  });

  it('refuses a request whose key was not proved', async () => {
    const token = await createJoinRequest(generateIdentity(), proposal);
    const bytes = Buffer.from(token.slice('hf-request:'.length), 'base64url');
    const key = generateIdentity().publicKey;
    const at = bytes.indexOf(Buffer.from('032100', 'hex')) + 3;
    bytes.set(key, at);
    const forged = `hf-request:${bytes.toString('base64url')}`;
    await expect(readJoinRequest(forged)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
  });

  it('answers any damaged token with a typed error', async () => {
    const request = await createJoinRequest(generateIdentity(), proposal);
    const { token } = await issueGrant(authority, request);
    const codes = ['FORMAT_INVALID', 'FORMAT_VERSION', 'SIGNATURE_INVALID', 'PEER_UNTRUSTED'] as const;
    const read = async (text: string): Promise<void> => {
      try {
        await (text.startsWith('hf-grant') ? readGrant(text) : readJoinRequest(text));
      } catch (error) {
        expect(HoldfastError.is(error, ...codes)).toBe(true);
      }
    };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(request, token),
        fc.nat(),
        fc.nat({ max: 63 }),
        async (text, at, to) => {
          const position = 11 + (at % (text.length - 11));
          const character = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'[to]!;
          await read(text.slice(0, position) + character + text.slice(position + 1));
          await read(text.slice(0, position));
        },
      ),
      { numRuns: 60 },
    );
    await fc.assert(fc.asyncProperty(fc.string(), (text) => read(`hf-grant:${text}`)));
    expect(() => readGrant(request)).toThrow(expect.objectContaining({ code: 'FORMAT_INVALID' }));
  });
});
