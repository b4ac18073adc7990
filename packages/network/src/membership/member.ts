import type { X509Certificate } from 'node:crypto';
import { HoldfastError, type PeerId, type Region } from '@holdfast/contracts';
import { peerOfCertificate } from './identity.ts';

export const ROLES = ['peer', 'owner'] as const;
/** Peers lend disk and answer; owners ask. */
export type Role = (typeof ROLES)[number];

/** What a checked certificate says of its holder. */
export interface Member {
  readonly id: PeerId;
  readonly role: Role;
  readonly operator: string;
  readonly region: Region;
  /** Milliseconds since the epoch. */
  readonly validFrom: number;
  readonly validUntil: number;
  readonly serialNumber: string;
}

export const memberUri = (id: PeerId): string => `holdfast:peer:${id}`;

/**
 * Everything that makes a certificate a membership: signed by the authority, valid now, no authority itself, its names
 * bound to its own key, a known role. PEER_UNTRUSTED says which of them failed.
 *
 * @param now milliseconds since the epoch.
 */
export function verifyMember(certificate: X509Certificate, authority: X509Certificate, now: number): Member {
  if (!authority.ca || !certificate.checkIssued(authority) || !certificate.verify(authority.publicKey)) {
    throw untrusted('was not issued by this swarm’s authority');
  }
  requireValid(authority, now, 'the authority’s certificate');
  if (certificate.ca) throw untrusted('is an authority’s, not a member’s');
  const member = readMember(certificate);
  requireValid(certificate, now, 'the certificate');
  return member;
}

function readMember(certificate: X509Certificate): Member {
  const subject = certificate.toLegacyObject().subject as unknown as Readonly<Record<string, unknown>>;
  const id = peerOfCertificate(certificate);
  if (id === null || subject.CN !== id) throw untrusted('has a name that is not bound to its key');
  if (certificate.subjectAltName !== `URI:${memberUri(id)}`) throw untrusted('has another name in its URI');
  const role = ROLES.find((known) => known === subject.OU);
  if (role === undefined) throw untrusted('has no known role');
  const { O: operator, L: region } = subject;
  if (typeof operator !== 'string' || typeof region !== 'string') throw untrusted('lacks operator or region');
  return {
    id,
    role,
    operator,
    region,
    validFrom: certificate.validFromDate.getTime(),
    validUntil: certificate.validToDate.getTime(),
    serialNumber: certificate.serialNumber.toLowerCase(),
  };
}

function requireValid(certificate: X509Certificate, now: number, what: string): void {
  const from = certificate.validFromDate;
  const until = certificate.validToDate;
  if (now >= from.getTime() && now <= until.getTime()) return;
  throw new HoldfastError(
    'PEER_UNTRUSTED',
    `${what} is valid from ${from.toISOString()} until ${until.toISOString()}`,
    {
      hint: 'Renew the certificate, or check the clocks of both machines.',
    },
  );
}

const untrusted = (why: string): HoldfastError =>
  new HoldfastError('PEER_UNTRUSTED', `The certificate ${why}.`);
