import { decodeCanonical, encodeCanonical } from '@holdfast/formats';
import {
  createAuthority,
  createJoinRequest,
  generateIdentity,
  identityFromPem,
  identityToPem,
  issueGrant,
  parseCertificate,
  readGrant,
  readJoinRequest,
  verifyMember,
} from '@holdfast/network';
import { type Target, Violation } from '../target.ts';

const identity = generateIdentity();
const PROPOSAL = { name: 'peer', operator: 'operator', region: 'eu/de', host: '::1', port: 4711 };
const authority = await createAuthority({ name: 'fuzz' });
const request = await createJoinRequest(identity, PROPOSAL);
const { token: grant, grant: granted } = await issueGrant(authority, request);
const certificate = parseCertificate(granted.certificate);
const trusted = parseCertificate(authority.certificate);

/** X.509 is parsed by OpenSSL, and a join request by a library: neither's memory is ours to bound. */
export const membershipTargets: readonly Target[] = [
  {
    name: 'certificate',
    seeds: () => [certificate.raw, trusted.raw, Buffer.from(granted.certificate)],
    refusals: ['FORMAT_INVALID', 'PEER_UNTRUSTED'],
    attempt: (input) => verifyMember(parseCertificate(input), trusted, Date.now()),
    confirm: sameMember,
  },
  {
    name: 'grant',
    seeds: () => [Buffer.from(grant)],
    refusals: ['FORMAT_INVALID', 'FORMAT_VERSION', 'PEER_UNTRUSTED'],
    attempt: (input) => readGrant(Buffer.from(input).toString('latin1')),
  },
  {
    name: 'grant-fields',
    seeds: () => [fieldsOf(grant)],
    refusals: ['FORMAT_INVALID', 'FORMAT_VERSION', 'PEER_UNTRUSTED'],
    attempt: (input) => readGrant(tokenOf(grant, input)),
  },
  {
    name: 'join-request',
    seeds: () => [Buffer.from(request)],
    refusals: ['FORMAT_INVALID', 'FORMAT_VERSION', 'SIGNATURE_INVALID'],
    attempt: (input) => readJoinRequest(Buffer.from(input).toString('latin1')),
    confirm: sameKey,
  },
  {
    name: 'join-request-fields',
    seeds: () => [fieldsOf(request)],
    refusals: ['FORMAT_INVALID', 'FORMAT_VERSION', 'SIGNATURE_INVALID'],
    attempt: (input) => readJoinRequest(tokenOf(request, input)),
    confirm: sameKey,
  },
  {
    name: 'identity',
    text: true,
    seeds: () => [Buffer.from(identityToPem(identity))],
    refusals: ['KEY_WRONG'],
    attempt: (input) => identityFromPem(Buffer.from(input).toString('utf8')),
  },
];

/** The authority signed one member only: whatever else is accepted was not issued by it. */
function sameMember(member: { readonly id: string }): void {
  if (member.id !== identity.id) throw new Violation(`${member.id} passes for a member.`);
}

/** A fuzzer cannot sign for another key. */
function sameKey(read: { readonly id: string }): void {
  if (read.id !== identity.id) throw new Violation(`${read.id} did not sign this.`);
}

/** The CBOR inside a token, and back: flips in base64 rarely get past its alphabet. */
const bodyOf = (token: string): number => token.indexOf(':') + 1;
const fieldsOf = (token: string): Uint8Array => {
  const bytes = Buffer.from(token.slice(bodyOf(token)), 'base64url');
  return encodeCanonical(decodeCanonical(bytes, { what: 'the token', maxBytes: bytes.length }));
};
const tokenOf = (token: string, fields: Uint8Array): string =>
  token.slice(0, bodyOf(token)) + Buffer.from(fields).toString('base64url');
