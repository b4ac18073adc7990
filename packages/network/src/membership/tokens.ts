import { HoldfastError } from '@holdfast/contracts';
import { type CborValue, decodeCanonical, encodeCanonical } from '@holdfast/formats';

/** Bytes as text that survives mail and chat: a prefix that says what it is, then base64url. */
export function encodeToken(prefix: string, fields: Readonly<Record<string, CborValue>>): string {
  return prefix + Buffer.from(encodeCanonical({ version: TOKEN_VERSION, ...fields })).toString('base64url');
}

const TOKEN_VERSION = 1;
const MAX_TOKEN_BYTES = 16 * 1024;

/** White space from line wrapping is ignored. FORMAT_INVALID, or FORMAT_VERSION for a token of a later release. */
export function decodeToken(
  prefix: string,
  token: string,
  what: string,
): Readonly<Record<string, CborValue>> {
  const text = token.replace(/\s+/g, '');
  const body = text.slice(prefix.length);
  if (!text.startsWith(prefix) || body.length > MAX_TOKEN_BYTES * 2 || !/^[A-Za-z0-9_-]+$/.test(body)) {
    throw new HoldfastError('FORMAT_INVALID', `This is not ${what}.`, {
      hint: `Paste the whole text that begins with ${prefix}.`,
    });
  }
  const value = decodeCanonical(Buffer.from(body, 'base64url'), { what, maxBytes: MAX_TOKEN_BYTES });
  if (value === null || typeof value !== 'object' || Array.isArray(value) || value instanceof Uint8Array) {
    throw new HoldfastError('FORMAT_INVALID', `${what} is malformed.`);
  }
  const fields = value as Readonly<Record<string, CborValue>>;
  if (fields.version !== TOKEN_VERSION) {
    throw new HoldfastError(
      'FORMAT_VERSION',
      `${what} has version ${String(fields.version)}, not ${TOKEN_VERSION}.`,
    );
  }
  return fields;
}

export function textField(fields: Readonly<Record<string, CborValue>>, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string' || value.length > 256 || /\p{C}/u.test(value)) throw malformed(name);
  return value;
}

export function bytesField(fields: Readonly<Record<string, CborValue>>, name: string): Uint8Array {
  const value = fields[name];
  if (!(value instanceof Uint8Array)) throw malformed(name);
  return value;
}

export function portField(fields: Readonly<Record<string, CborValue>>, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || value < 0 || value > 65_535) throw malformed(name);
  return value;
}

const malformed = (name: string): HoldfastError =>
  new HoldfastError('FORMAT_INVALID', `The token’s ${name} is malformed.`);
