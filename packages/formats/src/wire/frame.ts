import { HoldfastError } from '@holdfast/contracts';
import { type CborValue, decodeCanonical, encodeCanonical } from '../cbor.ts';
import { MAX_BODY_BYTES, MAX_HEADER_BYTES, PREFIX_BYTES } from './limits.ts';

/**
 * Prefix and header of a frame whose body of `bodyLength` bytes is sent right after. The body is not copied in here, so
 * that it can go to the socket from wherever it lies. A header or body over its limit is INTERNAL: we built it.
 */
export function encodeFrameHead(header: CborValue, bodyLength: number): Buffer {
  const encoded = encodeCanonical(header);
  if (encoded.length > MAX_HEADER_BYTES || bodyLength > MAX_BODY_BYTES) {
    throw new HoldfastError('INTERNAL', `A frame with ${encoded.length} + ${bodyLength} bytes is too large`);
  }
  const head = Buffer.allocUnsafe(PREFIX_BYTES + encoded.length);
  head.writeUInt32BE(encoded.length, 0);
  head.writeUInt32BE(bodyLength, 4);
  head.set(encoded, PREFIX_BYTES);
  return head;
}

export interface FramePrefix {
  readonly headerLength: number;
  readonly bodyLength: number;
}

/** @param bytes PREFIX_BYTES bytes. Throws PEER_PROTOCOL before anything is allocated for what is announced. */
export function decodePrefix(bytes: Buffer): FramePrefix {
  const headerLength = bytes.readUInt32BE(0);
  const bodyLength = bytes.readUInt32BE(4);
  if (headerLength === 0 || headerLength > MAX_HEADER_BYTES) {
    throw new HoldfastError('PEER_PROTOCOL', `A frame announces a header of ${headerLength} bytes`);
  }
  if (bodyLength > MAX_BODY_BYTES) {
    throw new HoldfastError('PEER_PROTOCOL', `A frame announces a body of ${bodyLength} bytes`);
  }
  return { headerLength, bodyLength };
}

/** Throws PEER_PROTOCOL for what is not canonical CBOR. */
export function decodeHeader(bytes: Uint8Array): CborValue {
  try {
    return decodeCanonical(bytes, { what: 'A frame header', maxBytes: MAX_HEADER_BYTES });
  } catch (error) {
    throw new HoldfastError('PEER_PROTOCOL', 'A frame header is not canonical CBOR', { cause: error });
  }
}
