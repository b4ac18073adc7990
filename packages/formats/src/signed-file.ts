import { HoldfastError } from '@holdfast/contracts';

/** Signs `bytes` for one kind of record: nobody can pass the signature off as one of another kind. */
export type Sign = (domain: string, bytes: Uint8Array) => Uint8Array;
export type Verify = (domain: string, bytes: Uint8Array, signature: Uint8Array) => boolean;

export interface SignedFormat {
  /** For error messages. */
  readonly what: string;
  /** Four ASCII characters. */
  readonly magic: string;
  readonly version: number;
  readonly domain: string;
  readonly maxBytes: number;
}

/** The magic, the version, three zeros, and the length of the body as u32; the signature is whatever follows it. */
export const SIGNED_HEADER_BYTES = 12;
const MAX_SIGNATURE_BYTES = 16 * 1024;

/** header ‖ body ‖ signature over both. FORMAT_INVALID when that exceeds the format's limit. */
export function encodeSigned(format: SignedFormat, body: Uint8Array, sign: Sign): Uint8Array {
  const signed = Buffer.alloc(SIGNED_HEADER_BYTES + body.length);
  signed.write(format.magic, 0, 'latin1');
  signed[4] = format.version;
  signed.writeUInt32BE(body.length, 8);
  signed.set(body, SIGNED_HEADER_BYTES);
  const bytes = Buffer.concat([signed, sign(format.domain, signed)]);
  splitSigned(format, bytes);
  return bytes;
}

/** The body, after its signature was checked: FORMAT_INVALID, FORMAT_VERSION, SIGNATURE_INVALID. */
export function decodeSigned(format: SignedFormat, bytes: Uint8Array, verify: Verify): Uint8Array {
  const { signed, signature } = splitSigned(format, bytes);
  if (!verify(format.domain, signed, signature)) {
    throw new HoldfastError('SIGNATURE_INVALID', `The signature of ${format.what} does not verify`, {
      hint: 'It was changed, or signed by another owner.',
    });
  }
  return signed.subarray(SIGNED_HEADER_BYTES);
}

function splitSigned(format: SignedFormat, bytes: Uint8Array): { signed: Uint8Array; signature: Uint8Array } {
  const { what, magic, version, maxBytes } = format;
  const invalid = (reason: string) => new HoldfastError('FORMAT_INVALID', `${what} ${reason}`);
  if (bytes.length > maxBytes) throw invalid(`has ${bytes.length} bytes; at most ${maxBytes} are allowed`);
  if (bytes.length < SIGNED_HEADER_BYTES) throw invalid('is shorter than its header');
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, SIGNED_HEADER_BYTES);
  if (header.toString('latin1', 0, 4) !== magic) throw invalid(`does not begin with ${magic}`);
  if (header[4] !== version) {
    throw new HoldfastError('FORMAT_VERSION', `${what} has version ${header[4]}, not ${version}`, {
      hint: 'Use a newer holdfast.',
    });
  }
  if (header.readUIntBE(5, 3) !== 0) throw invalid('has a reserved byte that is not zero');
  const end = SIGNED_HEADER_BYTES + header.readUInt32BE(8);
  const signatureBytes = bytes.length - end;
  if (signatureBytes < 1 || signatureBytes > MAX_SIGNATURE_BYTES) throw invalid('has a wrong length');
  return { signed: bytes.subarray(0, end), signature: bytes.subarray(end) };
}
