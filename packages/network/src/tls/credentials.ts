import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { HoldfastError } from '@holdfast/contracts';
import { WIRE_PROTOCOL } from '@holdfast/formats/wire';
import { parseCertificate } from '../membership/authority.ts';
import { type Identity, identityToPem, peerOfCertificate } from '../membership/identity.ts';

/** What one end shows and trusts. */
export interface Credentials {
  readonly identity: Identity;
  /** This end's own certificate, PEM. */
  readonly certificate: string;
  /** The swarm's authority, PEM: nothing else is trusted. */
  readonly authority: string;
}

/**
 * Both ends: TLS 1.3 only; the hybrid post-quantum group first, so that traffic recorded today stays closed to a later
 * quantum computer; no session tickets, since a resumed session would not look at the certificates again. KEY_WRONG when
 * the certificate is not the identity's.
 */
export function contextOptions(credentials: Credentials): SecureContextOptions {
  const { identity, certificate, authority } = credentials;
  if (peerOfCertificate(parseCertificate(certificate)) !== identity.id) {
    throw new HoldfastError('KEY_WRONG', `The certificate is not that of ${identity.id}.`, {
      hint: 'Use the key that the certificate was issued for.',
    });
  }
  return {
    key: identityToPem(identity),
    cert: certificate,
    ca: authority,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
    ecdhCurve: 'X25519MLKEM768:X25519',
    sigalgs: 'ed25519',
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

export const ALPN = [WIRE_PROTOCOL];
