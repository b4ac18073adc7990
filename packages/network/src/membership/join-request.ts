import { createPublicKey } from 'node:crypto';
import { HoldfastError, type PeerId, peerIdFromKey, type Region } from '@holdfast/contracts';
import type { Identity } from './identity.ts';
import { bytesField, decodeToken, encodeToken, portField, textField } from './tokens.ts';
import { ED25519, x509Library } from './x509-library.ts';

const PREFIX = 'hf-request:';
const WHAT = 'a join request';

/** What a peer proposes of itself. Only its key is proved; the rest is for the swarm's administrator to judge. */
export interface Proposal {
  readonly name: string;
  readonly operator: string;
  readonly region: Region;
  /** Where the peer will be reached; empty and 0 when it does not know. */
  readonly host: string;
  readonly port: number;
}

export interface JoinRequest extends Proposal {
  readonly id: PeerId;
  /** Raw Ed25519 key; its holder signed the request. */
  readonly publicKey: Uint8Array;
}

/** A PKCS#10 request, signed with the identity's key, and the proposal, as text to paste. Holds no secret. */
export async function createJoinRequest(identity: Identity, proposal: Proposal): Promise<string> {
  const x509 = await x509Library();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [identity.id] }],
    signingAlgorithm: ED25519,
    keys: {
      privateKey: identity.privateKey.toCryptoKey(ED25519, false, ['sign']),
      publicKey: createPublicKey(identity.privateKey).toCryptoKey(ED25519, true, ['verify']),
    },
  });
  const { name, operator, region, host, port } = proposal;
  return encodeToken(PREFIX, { csr: new Uint8Array(request.rawData), name, operator, region, host, port });
}

/** FORMAT_INVALID, FORMAT_VERSION; SIGNATURE_INVALID when the sender does not hold the key. */
export async function readJoinRequest(token: string): Promise<JoinRequest> {
  const fields = decodeToken(PREFIX, token, WHAT);
  const publicKey = await provedKey(bytesField(fields, 'csr'));
  return {
    id: peerIdFromKey(publicKey),
    publicKey,
    name: textField(fields, 'name'),
    operator: textField(fields, 'operator'),
    region: textField(fields, 'region'),
    host: textField(fields, 'host'),
    port: portField(fields, 'port'),
  };
}

async function provedKey(csr: Uint8Array): Promise<Uint8Array> {
  const x509 = await x509Library();
  try {
    const request = new x509.Pkcs10CertificateRequest(Buffer.from(csr));
    const spki = Buffer.from(request.publicKey.rawData);
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    if (key.asymmetricKeyType === 'ed25519' && (await request.verify())) {
      return new Uint8Array(Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url'));
    }
  } catch (error) {
    throw new HoldfastError('FORMAT_INVALID', `${WHAT} holds no readable certificate request.`, {
      cause: error,
    });
  }
  throw new HoldfastError('SIGNATURE_INVALID', 'The join request is not signed by the key that it names.');
}
