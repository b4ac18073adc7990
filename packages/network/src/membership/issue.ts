import { createPublicKey } from 'node:crypto';
import { HoldfastError, peerIdFromKey, type Region } from '@holdfast/contracts';
import { type Authority, BACKDATE, DAY, newSerialNumber, parseCertificate } from './authority.ts';
import { memberUri, type Role } from './member.ts';
import { ED25519, x509Library } from './x509-library.ts';

export interface MemberFacts {
  readonly role: Role;
  /** Who runs the machine: peers of one operator together hold at most k − 1 shards of a partition. */
  readonly operator: string;
  readonly region: Region;
  /** Default 365. */
  readonly validDays?: number;
  readonly now?: number;
}

/** X.520's upper bounds for the attributes that carry them. */
const MAX_OPERATOR = 64;
const MAX_REGION = 128;
const REGION = /^[a-z0-9][a-z0-9-]*(\/[a-z0-9][a-z0-9-]*)*$/;

/**
 * A member's certificate in PEM: CN = peer id, OU = role, O = operator, L = region, the id again as a URI.
 *
 * @param publicKey raw Ed25519 key, 32 bytes, whose holder must have proved possession.
 */
export async function issueCertificate(
  authority: Authority,
  publicKey: Uint8Array,
  facts: MemberFacts,
): Promise<string> {
  requireFacts(facts);
  const x509 = await x509Library();
  const issuer = parseCertificate(authority.certificate);
  const issuerKey = issuer.publicKey.toCryptoKey(ED25519, true, ['verify']);
  const id = peerIdFromKey(publicKey);
  const { now = Date.now(), validDays = 365 } = facts;
  const end = Math.min(now + validDays * DAY, issuer.validToDate.getTime());
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') };
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    subject: [{ CN: [id] }, { OU: [facts.role] }, { O: [facts.operator] }, { L: [facts.region] }],
    issuer: new x509.X509Certificate(issuer.raw).subjectName,
    notBefore: new Date(now - BACKDATE),
    notAfter: new Date(end),
    signingAlgorithm: ED25519,
    publicKey: createPublicKey({ key: jwk, format: 'jwk' }).toCryptoKey(ED25519, true, ['verify']),
    signingKey: authority.privateKey.toCryptoKey(ED25519, false, ['sign']),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: memberUri(id) }]),
      await x509.AuthorityKeyIdentifierExtension.create(issuerKey),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

/** USAGE for what cannot stand in a certificate. */
export function requireFacts(facts: { readonly operator: string; readonly region: string }): void {
  const { operator, region } = facts;
  if (operator.trim() === '' || operator.length > MAX_OPERATOR || /\p{C}/u.test(operator)) {
    throw new HoldfastError('USAGE', `The operator must have 1 to ${MAX_OPERATOR} printable characters.`);
  }
  if (region.length > MAX_REGION || !REGION.test(region)) {
    throw new HoldfastError(
      'USAGE',
      `The region "${region.slice(0, MAX_REGION)}" is not a path like eu/de/berlin.`,
      {
        hint: 'Use lower-case letters, digits and hyphens, with slashes between.',
      },
    );
  }
}
