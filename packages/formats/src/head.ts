import {
  HoldfastError,
  MAX_HEAD_BYTES,
  type OwnerId,
  type SnapshotId,
  type Stripe,
  uuidToBytes,
} from '@holdfast/contracts';
import { decodeCanonical, encodeCanonical } from './cbor.ts';
import { bytesOf, checked, peerId, readFields, recordOf, snapshotId, uint } from './fields.ts';
import { decodeSigned, encodeSigned, type Sign, type SignedFormat, type Verify } from './signed-file.ts';
import { peerKey, stripeFromCbor, stripeToCbor } from './stripe.ts';

/** What every peer of the owner may see, and needs to refuse an older head. */
export interface PublicHead {
  readonly owner: OwnerId;
  /** The newest manifest's. */
  readonly sequence: number;
  /** Milliseconds since the epoch. */
  readonly writtenAt: number;
}

/** The owner's pointer to its newest manifest. */
export interface Head extends PublicHead {
  readonly snapshot: SnapshotId;
  readonly manifest: Stripe;
}

/** `associated` is authenticated with the content but not part of the result. */
export type Seal = (content: Uint8Array, associated: Uint8Array) => Uint8Array;
/** Fails with SEAL_BROKEN. */
export type Open = (sealed: Uint8Array, associated: Uint8Array) => Uint8Array;

/**
 * The private part is padded to a multiple of this, lest the head's length tell the number of shards: with it, all
 * codes of up to about 60 look the same.
 */
const PRIVATE_STEP_BYTES = 4096;
const PRIVATE_LENGTH_BYTES = 4;

const FORMAT: SignedFormat = {
  what: 'the head',
  magic: 'HFHD',
  version: 1,
  domain: 'holdfast/head/v1',
  maxBytes: MAX_HEAD_BYTES,
};

export function encodeHead(head: Head, { sign, seal }: { sign: Sign; seal: Seal }): Uint8Array {
  const open = { owner: peerKey(head.owner), sequence: head.sequence, writtenAt: head.writtenAt };
  const secret = { snapshot: uuidToBytes(head.snapshot), manifest: stripeToCbor(head.manifest) };
  checked(secret, FORMAT.what, privateFromCbor);
  const sealed = seal(pad(encodeCanonical(secret)), encodeCanonical(open));
  return encodeSigned(FORMAT, encodeCanonical(checked({ ...open, sealed }, FORMAT.what, bodyFromCbor)), sign);
}

/** The signature is checked first. FORMAT_INVALID, FORMAT_VERSION, SIGNATURE_INVALID, and what `open` fails with. */
export function decodeHead(bytes: Uint8Array, { verify, open }: { verify: Verify; open: Open }): Head {
  const { sealed, ...visible } = readBody(bytes, verify);
  const associated = encodeCanonical({ ...visible, owner: peerKey(visible.owner) });
  const content = unpad(open(sealed, associated));
  const value = decodeCanonical(content, {
    what: `the private part of ${FORMAT.what}`,
    maxBytes: MAX_HEAD_BYTES,
  });
  return { ...visible, ...readFields(value, `the private part of ${FORMAT.what}`, privateFromCbor) };
}

/** For whoever has the owner's public key but not its secrets. */
export function decodePublicHead(bytes: Uint8Array, verify: Verify): PublicHead {
  const { owner, sequence, writtenAt } = readBody(bytes, verify);
  return { owner, sequence, writtenAt };
}

function readBody(bytes: Uint8Array, verify: Verify): PublicHead & { readonly sealed: Uint8Array } {
  const body = decodeSigned(FORMAT, bytes, verify);
  const value = decodeCanonical(body, { what: FORMAT.what, maxBytes: MAX_HEAD_BYTES });
  return readFields(value, FORMAT.what, bodyFromCbor);
}

const bodyFromCbor = recordOf<PublicHead & { readonly sealed: Uint8Array }>({
  owner: peerId,
  sequence: uint(),
  writtenAt: uint(),
  sealed: bytesOf(1, MAX_HEAD_BYTES),
});

const privateFromCbor = recordOf<Pick<Head, 'snapshot' | 'manifest'>>({
  snapshot: snapshotId,
  manifest: stripeFromCbor,
});

/** The content's length as u32, the content, zeros. */
function pad(content: Uint8Array): Uint8Array {
  const length = PRIVATE_LENGTH_BYTES + content.length;
  const padded = Buffer.alloc(Math.ceil(length / PRIVATE_STEP_BYTES) * PRIVATE_STEP_BYTES);
  padded.writeUInt32BE(content.length);
  padded.set(content, PRIVATE_LENGTH_BYTES);
  return padded;
}

function unpad(padded: Uint8Array): Uint8Array {
  const view = Buffer.from(padded.buffer, padded.byteOffset, padded.byteLength);
  const length = view.length >= PRIVATE_LENGTH_BYTES ? view.readUInt32BE() : view.length;
  const content = view.subarray(PRIVATE_LENGTH_BYTES, PRIVATE_LENGTH_BYTES + length);
  if (content.length === length && Buffer.compare(pad(content), view) === 0) return content;
  throw new HoldfastError('FORMAT_INVALID', `the private part of ${FORMAT.what} is padded wrongly`);
}
