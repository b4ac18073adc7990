import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  type X509Certificate,
} from 'node:crypto';
import { HoldfastError, type PeerId, peerIdFromKey } from '@holdfast/contracts';
import { readKeyFile, writeKeyFile } from './key-file.ts';

/** An Ed25519 key pair; its public half is the peer's (or owner's) id. */
export interface Identity {
  readonly id: PeerId;
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
}

export const generateIdentity = (): Identity => identityFromKey(generateKeyPairSync('ed25519').privateKey);

/** KEY_WRONG for a key that is not Ed25519. */
export function identityFromKey(privateKey: KeyObject): Identity {
  const publicKey = rawPublicKey(createPublicKey(privateKey));
  if (publicKey === null) {
    throw new HoldfastError(
      'KEY_WRONG',
      `An identity needs an Ed25519 key, not ${privateKey.asymmetricKeyType}.`,
    );
  }
  return { id: peerIdFromKey(publicKey), publicKey, privateKey };
}

/** ALREADY_EXISTS rather than overwriting a key; DISK_FULL. The file is durable and readable by its user alone. */
export const saveIdentity = (path: string, identity: Identity): Promise<void> =>
  writeKeyFile(path, identity.privateKey);

/** KEY_MISSING, KEY_WRONG. */
export const loadIdentity = async (path: string): Promise<Identity> =>
  identityFromKey(await readKeyFile(path));

/** PKCS#8 PEM, for owners that keep their identity inside their own key file. */
export const identityToPem = (identity: Identity): string =>
  identity.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** KEY_WRONG when the text is no such key. */
export function identityFromPem(pem: string): Identity {
  try {
    return identityFromKey(createPrivateKey(pem));
  } catch (error) {
    throw HoldfastError.from(error, 'KEY_WRONG', 'The identity is not a private key in PEM form.');
  }
}

/** Null when the certificate's key is not Ed25519. */
export function peerOfCertificate(certificate: X509Certificate): PeerId | null {
  const raw = rawPublicKey(certificate.publicKey);
  return raw === null ? null : peerIdFromKey(raw);
}

function rawPublicKey(key: KeyObject): Uint8Array | null {
  if (key.asymmetricKeyType !== 'ed25519') return null;
  return new Uint8Array(Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url'));
}
