import { HoldfastError } from '@holdfast/contracts';
import { type Authority, parseCertificate } from './authority.ts';
import { issueCertificate } from './issue.ts';
import { type JoinRequest, type Proposal, readJoinRequest } from './join-request.ts';
import { type Member, verifyMember } from './member.ts';
import { bytesField, decodeToken, encodeToken, textField } from './tokens.ts';

const PREFIX = 'hf-grant:';

/** The administrator's answer to a join request: all that a peer needs to take part. Holds no secret. */
export interface Grant {
  /** What the administrator calls the peer. */
  readonly name: string;
  /** PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly authority: string;
  readonly member: Member;
}

export interface GrantDecision extends Partial<Proposal> {
  readonly validDays?: number;
  readonly now?: number;
}

export interface IssuedGrant {
  /** To be pasted on the peer's machine. */
  readonly token: string;
  readonly request: JoinRequest;
  readonly grant: Grant;
}

/**
 * Admits the peer that made the request. What the decision leaves open is taken from the peer's proposal. Errors as of
 * `readJoinRequest`; USAGE when operator or region cannot stand in a certificate.
 */
export async function issueGrant(
  authority: Authority,
  requestToken: string,
  decision: GrantDecision = {},
): Promise<IssuedGrant> {
  const request = await readJoinRequest(requestToken);
  const { validDays, now = Date.now() } = decision;
  const certificate = await issueCertificate(authority, request.publicKey, {
    role: 'peer',
    operator: decision.operator ?? request.operator,
    region: decision.region ?? request.region,
    validDays,
    now,
  });
  const token = encodeToken(PREFIX, {
    name: decision.name ?? request.name,
    certificate: der(certificate),
    authority: der(authority.certificate),
  });
  return { token, request, grant: readGrant(token, now) };
}

/** FORMAT_INVALID, FORMAT_VERSION; PEER_UNTRUSTED when certificate and authority do not belong together. */
export function readGrant(token: string, now = Date.now()): Grant {
  const fields = decodeToken(PREFIX, token, 'a grant');
  const certificate = parseCertificate(bytesField(fields, 'certificate'));
  const authority = parseCertificate(bytesField(fields, 'authority'));
  if (!authority.checkIssued(authority) || !authority.verify(authority.publicKey)) {
    throw new HoldfastError('PEER_UNTRUSTED', 'The grant’s authority did not sign its own certificate.');
  }
  return {
    name: textField(fields, 'name'),
    certificate: certificate.toString(),
    authority: authority.toString(),
    member: verifyMember(certificate, authority, now),
  };
}

const der = (pem: string): Uint8Array => new Uint8Array(parseCertificate(pem).raw);
