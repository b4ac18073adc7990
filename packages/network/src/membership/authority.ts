import {
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { HoldfastError } from '@holdfast/contracts';
import { readKeyFile, writeKeyFile } from './key-file.ts';
import { ED25519, x509Library } from './x509-library.ts';

/** Whoever holds this decides who belongs to the swarm. */
export interface Authority {
  /** PEM. */
  readonly certificate: string;
  readonly privateKey: KeyObject;
}

export interface AuthorityOptions {
  /** The swarm's name, for people; the certificate's CN. */
  readonly name: string;
  /** Default 3650. */
  readonly validDays?: number;
  /** Milliseconds since the epoch; default the system's clock. */
  readonly now?: number;
}

export const DAY = 86_400_000;
/** Certificates are valid from a little before they are made: clocks differ. */
export const BACKDATE = 3_600_000;

/** A new swarm: an Ed25519 key and its self-signed certificate, which may sign members but no further authorities. */
export async function createAuthority(options: AuthorityOptions): Promise<Authority> {
  const x509 = await x509Library();
  const { now = Date.now(), validDays = 3650 } = options;
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const keys = {
    privateKey: privateKey.toCryptoKey(ED25519, true, ['sign']),
    publicKey: publicKey.toCryptoKey(ED25519, true, ['verify']),
  };
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerialNumber(),
    name: [{ CN: [options.name] }],
    notBefore: new Date(now - BACKDATE),
    notAfter: new Date(now + validDays * DAY),
    signingAlgorithm: ED25519,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, privateKey };
}

/** Key only; the certificate is public and kept by whoever needs it. */
export const saveAuthorityKey = (path: string, authority: Authority): Promise<void> =>
  writeKeyFile(path, authority.privateKey);

/** KEY_MISSING; KEY_WRONG when the key is not the certificate's. */
export async function loadAuthority(keyPath: string, certificate: string): Promise<Authority> {
  const privateKey = await readKeyFile(keyPath);
  if (!parseCertificate(certificate).publicKey.equals(createPublicKey(privateKey))) {
    throw new HoldfastError('KEY_WRONG', `The key in ${keyPath} is not that of the swarm's certificate.`);
  }
  return { certificate, privateKey };
}

/** FORMAT_INVALID for what is no certificate. */
export function parseCertificate(pemOrDer: string | Uint8Array): X509Certificate {
  try {
    return new X509Certificate(typeof pemOrDer === 'string' ? pemOrDer : Buffer.from(pemOrDer));
  } catch (error) {
    throw new HoldfastError('FORMAT_INVALID', 'This is not an X.509 certificate.', { cause: error });
  }
}

/** 127 random bits: positive in DER whatever they are. */
export function newSerialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString('hex');
}
